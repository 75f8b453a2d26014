"""Looks for issues in a folder with CleanVision, and says what it found as src/preparation/said.rs has it."""

import argparse
import importlib.metadata
import itertools
import json
import os
import time

from cleanvision import Imagelab


DUPLICATES = ("near_duplicates", "exact_duplicates")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--near", action="store_true", help="look for duplicates alone")
    arguments = parser.parse_args()
    started = time.perf_counter()
    lab = Imagelab(data_path=arguments.folder, verbose=False)
    kinds = dict.fromkeys(DUPLICATES, {}) if arguments.near else None
    lab.find_issues(kinds, verbose=False)
    seconds = time.perf_counter() - started
    said = {"versions": {"cleanvision": importlib.metadata.version("cleanvision")}, "work-seconds": seconds}
    alike = [
        (kind, relative(first, arguments.folder), relative(second, arguments.folder))
        for kind in DUPLICATES
        for same in lab.info[kind]["sets"]
        for first, second in itertools.combinations(same, 2)
    ]
    said["pairs"] = [{"first": first, "second": second, "similarity": 1} for _, first, second in alike]
    said["findings"] = [
        {"path": relative(path, arguments.folder), "cause": {"kind": kind.removeprefix("is_").removesuffix("_issue")}}
        for kind in lab.issues.columns
        if kind.startswith("is_") and not any(duplicates in kind for duplicates in DUPLICATES)
        for path in lab.issues.index[lab.issues[kind].astype(bool)]
    ]
    said["findings"] += [{"path": second, "cause": {"kind": kind, "of": first}} for kind, first, second in alike]
    print(json.dumps(said))


def relative(path, folder):
    return os.path.relpath(path, os.path.abspath(folder))


if __name__ == "__main__":
    main()
