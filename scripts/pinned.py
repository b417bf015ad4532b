"""Sources of libraries for our wheels, of the one version that is pinned."""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
import tarfile
import tempfile
import tomllib
import urllib.request
from collections.abc import Callable
from pathlib import Path


def read_pin(path: Path) -> dict[str, str]:
    """Return version, digest and address of the source."""
    pin = tomllib.loads(path.read_text())
    return {
        "version": pin["version"],
        "sha256": pin["sha256"],
        "url": pin["url"].format(version=pin["version"]),
    }


def fetch(url: str, folder: Path) -> Path:
    """Return the file of an address, kept in a folder."""
    archive = folder / url.rpartition("/")[2]
    opened = urllib.request.urlopen(url)  # noqa: S310 - the address of a pin
    with opened as answer, archive.open("wb") as file:
        shutil.copyfileobj(answer, file)
    return archive


def check(archive: Path, sha256: str) -> None:
    """End the run unless the archive is the pinned one."""
    with archive.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        sys.exit(f"{archive}: SHA-256 is {found}, and {sha256} is pinned")


def unpack(archive: Path, folder: Path) -> Path:
    """Return the one folder that the archive unpacks to."""
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    (source,) = (path for path in folder.iterdir() if path.is_dir())
    return source


def build(
    name: str,
    pin_file: Path,
    compile_in: Callable[[Path], None],
    install: Callable[[Path, Path, str], None],
) -> None:
    """Fetch, check, compile and install, as the command line says."""
    parser = argparse.ArgumentParser(description=f"Build the pinned {name}.")
    parser.add_argument("prefix", type=Path)
    parser.add_argument("--archive", type=Path, help="the source, already fetched")
    parser.add_argument("--pin", type=Path, default=pin_file, help="another pin")
    given = parser.parse_args()
    pin = read_pin(given.pin)
    with tempfile.TemporaryDirectory() as folder:
        archive = given.archive or fetch(pin["url"], Path(folder))
        check(archive, pin["sha256"])
        source = unpack(archive, Path(folder))
        compile_in(source)
        install(source, given.prefix, pin["version"])
    print(f"{name} {pin['version']} is in {given.prefix}")
