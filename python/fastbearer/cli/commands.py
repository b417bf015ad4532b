"""What each command does, and the exit status that it returns."""

from __future__ import annotations

import json
import os
import secrets
import sys
from typing import TYPE_CHECKING, Any

from fastbearer import (
    ConfigurationError,
    PasswordError,
    PasswordHash,
    hash_password,
    verify_password,
)
from fastbearer.cli.checkup import findings
from fastbearer.cli.inputs import (
    Judge,
    import_app,
    import_database,
    read_password,
    read_settings,
    signer_from,
    token_from,
    verified,
)
from fastbearer.cli.inspection import described, judged
from fastbearer.cli.server import check_address, check_start, server_logging
from fastbearer.cli.site import open_in_browser, page_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from fastbearer.compat.migrate_imports import Outcome
    from fastbearer.fastapi import Settings

__all__ = [
    "FAILED",
    "INTERRUPTED",
    "OK",
    "USAGE",
    "complain",
    "discard_output",
    "doctor",
    "hash_or_check",
    "inspect_token",
    "make_secret",
    "migrate",
    "migrate_imports",
    "serve",
    "show_docs",
    "sign_token",
    "verify_token",
]

PROGRESS_FILES = 500
GRACE_SECONDS = 30  # for requests under way, when the service is to stop
SILENT_SECONDS = 60  # without an answer to its supervisor, until a worker is replaced

OK, FAILED, USAGE = 0, 1, 2
INTERRUPTED = 130  # as shells say it of SIGINT


def complain(message: str, status: int = FAILED) -> int:
    """Print a line on standard error and return the exit status."""
    print(message, file=sys.stderr)
    return status


class Output:
    """Standard output, until its reader has seen enough."""

    def __init__(self) -> None:
        self._has_reader = True

    def write(self, text: str) -> None:
        """Write a string where somebody still reads."""
        if self._has_reader:
            try:
                print(text, end="")
            except BrokenPipeError:
                self._has_reader = False
                discard_output()


def discard_output() -> None:
    """Send what is still to be printed nowhere, so that the last flush cannot fail."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def make_secret(options: argparse.Namespace) -> int:
    print(secrets.token_urlsafe(options.bytes))
    return OK


def sign_token(options: argparse.Namespace) -> int:
    from fastbearer.better_auth.secrets import NOT_A_LINK

    claims: dict[str, Any] = {"sub": options.sub}
    if options.email is not None:
        claims.update(NOT_A_LINK, email=options.email)
    claims.update(options.claim)
    signer = signer_from(options)
    try:
        print(signer.sign(claims))
    except (TypeError, ValueError) as error:
        return complain(f"error: invalid_claim: {error}", USAGE)
    return OK


def verify_token(options: argparse.Namespace) -> int:
    claims = verified(options, token_from(options.token))
    print(json.dumps(claims, indent=2))
    return OK


def inspect_token(options: argparse.Namespace) -> int:
    """Show what a token says; the exit status is 0 only if it is accepted."""
    token = token_from(options.token)
    print(described(token))
    text, is_accepted = judged(token, Judge(options))
    print(f"\n{text}")
    return OK if is_accepted else FAILED


def show_docs(options: argparse.Namespace) -> int:
    """Print where the site tells of an error, and open it where that can be done."""
    try:
        address = page_of(options.code)
    except LookupError as error:
        return complain(f"error: {error}", USAGE)
    print(address)
    open_in_browser(address)
    return OK


def doctor(options: argparse.Namespace) -> int:
    """Look at all that the settings in force need; 1 if something is wrong."""
    is_wrong = False
    for finding in findings():
        mark = "WRONG" if finding.is_wrong else "ok"
        print(f"{mark:6} {finding.subject}: {finding.text}", flush=True)
        is_wrong = is_wrong or finding.is_wrong
    return FAILED if is_wrong else OK


def hash_or_check(options: argparse.Namespace) -> int:
    if options.check is not None:
        return check(options.check)
    password = read_password(twice=True)
    if not password:
        raise PasswordError("the password is empty")
    hasher = PasswordHash(options.scheme).hash if options.scheme else hash_password
    print(hasher(password))
    return OK


def check(stored: str) -> int:
    """Compare a password with a stored hash: the exit status is the answer."""
    if verify_password(read_password(), stored):
        print("match")
        return OK
    print("no match")
    return FAILED


def serve(options: argparse.Namespace) -> int:
    try:
        run, app = import_app()
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("fastbearer"):
            raise
        needed = "fastbearer serve needs an extra: pip install 'fastbearer[app]'"
        return complain(needed, USAGE)
    try:
        settings = read_settings()
        check_workers(options.workers, settings)
        check_address(options.host, options.port)
        if options.workers > 1:
            check_start(app)
    except ConfigurationError as error:
        return complain(f"ConfigurationError: {error}")
    run(
        # Processes of their own import it; within this one, it is there.
        app if options.workers == 1 else "fastbearer.app:app",
        host=options.host,
        port=options.port,
        workers=options.workers,
        # A proxy is believed where it is named; nothing is guessed. uvicorn does not
        # know Forwarded: the service reads that one itself.
        proxy_headers=bool(server_proxies(settings)),
        forwarded_allow_ips=server_proxies(settings),
        timeout_graceful_shutdown=GRACE_SECONDS,
        # On a busy machine a worker is slow to answer, and is none the worse for it.
        timeout_worker_healthcheck=SILENT_SECONDS,
        log_config=server_logging(),
    )
    return OK


def server_proxies(settings: Settings) -> str:
    """Return the proxies whose X-Forwarded-For and -Proto the server is to read."""
    is_known = settings.forwarded_header == "x-forwarded-for"
    return (settings.trusted_proxies or "") if is_known else ""


def migrate(options: argparse.Namespace) -> int:
    try:
        database = import_database(only_accounts=options.accounts)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("fastbearer"):
            raise
        needed = "fastbearer migrate needs an extra: pip install 'fastbearer[accounts]'"
        return complain(needed, USAGE)
    import asyncio

    try:
        asyncio.run(database.migrate())
    except ConfigurationError as error:
        return complain(f"ConfigurationError: {error}")
    print("the tables are up to date")
    return OK


def migrate_imports(options: argparse.Namespace) -> int:
    try:
        from fastbearer.compat.migrate_imports import changes
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("fastbearer"):
            raise
        needed = "fastbearer migrate-imports needs an extra: "
        return complain(f"{needed}pip install 'fastbearer[compat]'", USAGE)
    for path in options.paths:
        if not path.exists():
            return complain(f"there is no {path}")
    try:
        return show_changes(changes(options.paths, write=options.write), options)
    except OSError as error:
        return complain(f"cannot write {error.filename}: {error.strerror}")


def show_changes(outcomes: Iterable[Outcome], options: argparse.Namespace) -> int:
    """Print what changes, and on standard error what stays and how far it is.

    A reader that has seen enough, like ``head``, does not stop the work.
    """
    changed, is_incomplete, out = 0, False, Output()
    for number, outcome in enumerate(outcomes, 1):
        out.write(outcome.text)
        changed += outcome.is_changed
        for line, name in outcome.left:
            is_incomplete = True
            told = f"left alone: the drop-ins do not have {name}"
            complain(f"{outcome.file}:{line}: {told}")
        if number % PROGRESS_FILES == 0:
            complain(f"{number} files looked at, {changed} to change")
    return FAILED if is_incomplete or (options.check and changed) else OK


def check_workers(workers: int, settings: Settings) -> None:
    """Judge whether several processes can work together.

    Raises:
        ConfigurationError: A process would not know what another revokes.
    """
    if workers == 1:
        return
    if settings.revocation == "memory":
        raise ConfigurationError(
            "REVOCATION=memory is for one worker; take database or redis"
        )
    if settings.throttle and settings.redis_url is None:
        complain("without a REDIS_URL, each worker has limits of its own")
