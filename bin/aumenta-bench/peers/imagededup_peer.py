"""Finds duplicates in a folder with imagededup, and says what it found as src/preparation/said.rs has it."""

import argparse
import importlib.metadata
import json
import logging
import os
import pathlib
import re
import shutil
import tempfile
import time

from imagededup.methods import PHash


class Log(logging.Handler):
    """Keeps what imagededup says of files that it cannot read; its workers are processes that write to files of their own."""

    def __init__(self):
        super().__init__()
        self.folder = pathlib.Path(tempfile.mkdtemp())

    def emit(self, record):
        with open(self.folder / str(os.getpid()), "a") as file:
            file.write(record.getMessage().replace("\n", " ") + "\n")

    def invalid(self):
        """The paths of these files."""
        text = "".join(file.read_text() for file in self.folder.iterdir())
        shutil.rmtree(self.folder)
        return re.findall(r"^Invalid image file (.*?):? ", text, re.MULTILINE)


def relative(path, folder):
    return os.path.relpath(path, os.path.abspath(folder))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--threshold", type=int)
    arguments = parser.parse_args()
    log = Log()
    logging.getLogger("imagededup.utils.image_utils").addHandler(log)
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
    findings = [
        {"path": pair["first"], "cause": {"kind": "duplicate", "of": pair["second"]}}
        for pair in pairs
        if pair["similarity"] == 1
    ]
    findings += [
        {"path": relative(path, arguments.folder), "cause": {"kind": "invalid-image"}} for path in log.invalid()
    ]
    versions = {"imagededup": importlib.metadata.version("imagededup")}
    print(json.dumps({"versions": versions, "work-seconds": seconds, "pairs": pairs, "findings": findings}))


if __name__ == "__main__":
    main()
