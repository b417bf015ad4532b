"""The command line: ``fastbearer`` and ``python -m fastbearer``."""

from fastbearer.cli.commands import main

__all__ = ["main"]
