"""Looks for issues in a folder with CleanVision, and says what it found as src/preparation/said.rs has it."""

import argparse
import importlib.metadata
import itertools
import json
import os
import time

from cleanvision import Imagelab


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--near", action="store_true", help="look for duplicates alone")
    arguments = parser.parse_args()
    started = time.perf_counter()
    lab = Imagelab(data_path=arguments.folder, verbose=False)
    kinds = {"near_duplicates": {}, "exact_duplicates": {}} if arguments.near else None
    lab.find_issues(kinds, verbose=False)
    seconds = time.perf_counter() - started
    said = {"versions": {"cleanvision": importlib.metadata.version("cleanvision")}, "work-seconds": seconds}
    said["pairs"] = [
        {"first": relative(first, arguments.folder), "second": relative(second, arguments.folder), "similarity": 1}
        for kind in ("near_duplicates", "exact_duplicates")
        for same in lab.info[kind]["sets"]
        for first, second in itertools.combinations(same, 2)
    ]
    said["findings"] = [
        {"path": relative(path, arguments.folder), "kind": kind.removeprefix("is_").removesuffix("_issue")}
        for kind in lab.issues.columns
        if kind.startswith("is_")
        for path in lab.issues.index[lab.issues[kind].astype(bool)]
    ]
    print(json.dumps(said))


def relative(path, folder):
    return os.path.relpath(path, os.path.abspath(folder))


if __name__ == "__main__":
    main()
