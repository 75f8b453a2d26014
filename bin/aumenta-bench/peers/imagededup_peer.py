"""Finds duplicates in a folder with imagededup, and says what it found as src/preparation/said.rs has it."""

import argparse
import importlib.metadata
import json
import time

from imagededup.methods import PHash


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--threshold", type=int)
    arguments = parser.parse_args()
    started = time.perf_counter()
    options = {} if arguments.threshold is None else {"max_distance_threshold": arguments.threshold}
    found = PHash(verbose=False).find_duplicates(arguments.folder, recursive=True, scores=True, **options)
    seconds = time.perf_counter() - started
    pairs = [
        {"first": first, "second": second, "similarity": 1 - int(distance) / 64}
        for first, others in found.items()
        for second, distance in others
        if first < second
    ]
    versions = {"imagededup": importlib.metadata.version("imagededup")}
    print(json.dumps({"versions": versions, "work-seconds": seconds, "pairs": pairs}))


if __name__ == "__main__":
    main()
