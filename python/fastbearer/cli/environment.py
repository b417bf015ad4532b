"""The environment of a command, which a file may add to."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fastbearer.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["ENV_FILE", "load_environment"]

ENV_FILE = "--env-file"
NO_FILE = (
    "the file of --env-file cannot be read ({}): name the one with your settings, or"
    " leave the option out"
)
NOT_UTF_8 = "it is not UTF-8"
NO_SETTING = (
    "line {} of the file of --env-file is not NAME=VALUE, or a quote in it is not"
    " closed: correct it, or make it a comment with #"
)
HAS_NUL = "line {} of the file of --env-file has a NUL character: remove it"
NO_EXTRA = "--env-file needs an extra: pip install 'fastbearer[fastapi]'"
MISSPELT = "--env-file: {} is no setting of fastbearer; is {} meant?"
LIKENESS = 0.87
"""From which on a name is taken for a misspelt one; DATABSE_URL is at 0.96."""


def load_environment(arguments: Sequence[str] | None) -> list[str]:
    """Add what files of ``--env-file`` say to the environment, which wins.

    They are read as dotenv reads them: quotes, spaces, ``export``, comments and CRLF;
    nothing is expanded or run, so that a secret is what the file says. But what cannot
    be read is not left out: a setting that is lost may be the database's.

    Args:
        arguments: Of the command line; None for those of the process.

    Returns:
        The other arguments.

    Raises:
        ConfigurationError: A file or a line cannot be read, or the extra is missing.
    """
    parser = argparse.ArgumentParser(
        prog="fastbearer", add_help=False, allow_abbrev=False
    )
    parser.add_argument(ENV_FILE, metavar="FILE", action="append", default=[])
    options, others = parser.parse_known_args(arguments)
    for name in options.env_file:
        settings = _read(name)
        for key, value in settings.items():
            os.environ.setdefault(key, value)
        _tell_misspelt(settings)
    return others


def _read(name: str) -> dict[str, str]:
    try:
        from dotenv.parser import parse_stream
    except ImportError:
        raise ConfigurationError(NO_EXTRA) from None
    found = {}
    try:
        with Path(name).open(encoding="utf-8-sig") as file:
            lines = list(parse_stream(file))
    except OSError as error:
        raise ConfigurationError(NO_FILE.format(error.strerror)) from None
    except ValueError:
        raise ConfigurationError(NO_FILE.format(NOT_UTF_8)) from None
    for line in lines:
        text = line.original.string
        if line.error or "\0" in text:
            # dotenv counts the empty lines before it as its own.
            number = line.original.line + text[: -len(text.lstrip())].count("\n")
            refusal = NO_SETTING if line.error else HAS_NUL
            raise ConfigurationError(refusal.format(number))
        if line.key is not None and line.value is not None:
            found[line.key] = line.value
    return found


def _tell_misspelt(settings: Mapping[str, str]) -> None:
    """Print a line for each name that is almost that of a setting, which is not set."""
    # dotenv has come with the extra, which has the settings.
    from fastbearer.fastapi import Settings

    names = {"AUTH_SECRET", *map(str.upper, Settings.model_fields)}
    missing = [name for name in names if not os.environ.get(name)]
    for name in settings:
        if name.upper() not in names:
            for meant in difflib.get_close_matches(name, missing, 1, LIKENESS):
                print(MISSPELT.format(name, meant), file=sys.stderr)
