"""The page of the command line, from its parser."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator

from fastbearer.cli.parser import parser
from reference.markdown import entry, page

INTRODUCTION = """\
# Command line

`fastbearer` is also `python -m fastbearer`. Secrets come from the environment, and
passwords from the terminal or standard input, never from arguments, which other
users of the machine can read. The exit status is 0; 1 for a token, a hash, a key or
a setting that is refused, which one line on standard error explains; 2 for a usage
error or a missing extra; 130 after Ctrl-C.
"""
COLUMNS = "80"


def subcommands(command: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Yield the commands of a command, and theirs."""
    for action in command._actions:
        if isinstance(action, argparse._SubParsersAction):
            for one in action.choices.values():
                yield one
                yield from subcommands(one)


def option(command: argparse.ArgumentParser, action: argparse.Action) -> str:
    """Return a line about an option or an argument."""
    formatter = command._get_formatter()
    name = formatter._format_action_invocation(action)
    text = formatter._expand_help(action) if action.help else ""
    return entry(name, [], text)


def section(command: argparse.ArgumentParser) -> str:
    """Return what is said of one command."""
    usage = command.format_usage().rstrip()
    usage = usage.replace("\n" + " " * len("usage: "), "\n").removeprefix("usage: ")
    options = [
        option(command, action)
        for action in command._actions
        if not isinstance(action, argparse._HelpAction | argparse._SubParsersAction)
    ]
    text = command.description or ""
    sentence = f"{text[:1].upper()}{text[1:].rstrip('.')}."
    return page(
        f"## {command.prog}", sentence, f"```text\n{usage}\n```", "\n".join(options)
    )


def command_line_page() -> str:
    """Return the page."""
    os.environ.update(COLUMNS=COLUMNS, NO_COLOR="1")
    whole = parser()
    commands = [section(command) for command in subcommands(whole)]
    general = section(whole).replace("## fastbearer\n", "## Options of every command\n")
    return page(INTRODUCTION, general, *commands)
