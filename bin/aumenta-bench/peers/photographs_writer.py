"""Writes the files of `aumenta-bench stream`, which needs what other encoders than its own write.

For each request, a line of JSON as src/streaming/writer.rs has it, it writes one file and says `"written"`.
"""

import json
import pathlib
import sys
import tarfile
import zipfile

import PIL
from PIL import Image

from protocol import say

QUALITY = 70


def main():
    say({"ready": {"versions": {"pillow": PIL.__version__}}})
    for line in sys.stdin:
        [(kind, request)] = json.loads(line).items()
        write = {"jpeg": write_jpeg, "archive": write_archive}[kind]
        write(**request)
        say("written")


def write_jpeg(path, width, height, pixels):
    """A 4:2:0 JPEG at `path` from the bytes in the file `pixels`, uint8 HWC."""
    picture = Image.frombytes("RGB", (width, height), pathlib.Path(pixels).read_bytes())
    picture.save(path, "JPEG", quality=QUALITY, subsampling="4:2:0")


def write_archive(path, packing, folder):
    """All files of `folder`, in order of their paths."""
    folder = pathlib.Path(folder)
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    names = [file.relative_to(folder).as_posix() for file in files]
    if packing == "tar":
        with tarfile.open(path, "w", dereference=True) as archive:
            for file, name in zip(files, names):
                # A second link to a file would be stored as a link.
                archive.inodes.clear()
                archive.add(file, name)
    else:
        method = {"zip-stored": zipfile.ZIP_STORED, "zip-deflated": zipfile.ZIP_DEFLATED}[packing]
        with zipfile.ZipFile(path, "w", method) as archive:
            for file, name in zip(files, names):
                archive.write(file, name)


main()
