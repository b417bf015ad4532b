"""The command ``fastbearer``, which is also ``python -m fastbearer``.

Secrets come from the environment and passwords from the terminal or standard
input, never from the command line, which other users of the machine can read.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from fastbearer import FastbearerError
from fastbearer.cli.commands import FAILED, INTERRUPTED, complain, discard_output
from fastbearer.cli.environment import load_environment
from fastbearer.cli.parser import parser

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: In place of those of the process.

    Returns:
        The exit status: 0; 1 for a token, hash, key or setting that is
        refused, which one line on standard error explains; 2 for a usage
        error or a missing extra; 130 after Ctrl-C.
    """
    try:
        return _run(arguments)
    except FastbearerError as error:
        return complain(f"error: {error.code}: {error}")
    except BrokenPipeError:
        discard_output()
        return FAILED
    except OSError as error:  # a full disk, mostly
        discard_output()
        return complain(f"error: {error.strerror or error}")
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(arguments: Sequence[str] | None) -> int:
    try:
        # First: the defaults of some options come from the environment.
        options = parser().parse_args(load_environment(arguments))
        status: int = options.command(options)
    finally:  # after --help, too, which exits
        if sys.stdout is not None:
            sys.stdout.flush()
    return status
