"""Splits a folder of class folders with split-folders, as it comes: files are copied."""

import importlib.metadata
import json
import sys

import splitfolders


def main():
    source, out, ratios = sys.argv[1:]
    splitfolders.ratio(source, output=out, ratio=tuple(float(ratio) for ratio in ratios.split(",")))
    print(json.dumps({"versions": {"split-folders": importlib.metadata.version("split-folders")}}))


if __name__ == "__main__":
    main()
