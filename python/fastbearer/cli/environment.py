"""The environment of a command, which a file may add to."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from fastbearer.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ENV_FILE", "load_environment"]

ENV_FILE = "--env-file"
NO_FILE = "the file of --env-file cannot be read"
NO_EXTRA = "--env-file needs an extra: pip install 'fastbearer[fastapi]'"


def load_environment(arguments: Sequence[str] | None) -> list[str]:
    """Add what files of ``--env-file`` say to the environment, which wins.

    They are read as dotenv reads them: quotes, spaces, ``export``, comments and CRLF;
    nothing is expanded or run, so that a secret is what the file says.

    Args:
        arguments: Of the command line; None for those of the process.

    Returns:
        The other arguments.

    Raises:
        ConfigurationError: A file cannot be read, or the extra is missing.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument(ENV_FILE, action="append", default=[])
    options, others = parser.parse_known_args(arguments)
    for name in options.env_file:
        for key, value in _read(name).items():
            if value is not None:
                os.environ.setdefault(key, value)
    return others


def _read(name: str) -> dict[str, str | None]:
    try:
        from dotenv import dotenv_values
    except ImportError:
        raise ConfigurationError(NO_EXTRA) from None
    try:
        with Path(name).open(encoding="utf-8-sig") as file:
            return dotenv_values(stream=file, interpolate=False)
    except (OSError, ValueError):
        raise ConfigurationError(NO_FILE) from None
