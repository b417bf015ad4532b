"""Packages of npm for the tests, each installed once, into ``build/``."""

from __future__ import annotations

import subprocess
from pathlib import Path

from project import ROOT, locked

NPM = ("npm", "install", "--ignore-scripts", "--legacy-peer-deps", "--no-package-lock")
QUIET = ("--no-audit", "--no-fund", "--loglevel=error")


def npm_install(name: str, package: str) -> tuple[Path, str]:
    """Install what a package.json names; return the folder, and what npm said.

    Args:
        name: Of the folder.
        package: The text of the package.json.

    Returns:
        What npm said is "" if it did not fail.
    """
    folder = ROOT / "build" / name
    folder.mkdir(parents=True, exist_ok=True)
    stamp = folder / "installed.json"
    with locked(folder / "lock"):
        if stamp.exists() and stamp.read_text() == package:
            return folder, ""
        (folder / "package.json").write_text(package)
        npm = subprocess.run(
            [*NPM, *QUIET], cwd=folder, capture_output=True, text=True, check=False
        )
        if npm.returncode:
            return folder, npm.stdout + npm.stderr
        stamp.write_text(package)
    return folder, ""
