"""What ``fastbearer doctor`` looks at, one function for each subject."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import sys
import time
from dataclasses import replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from fastbearer import FastbearerError, KeySet, PasswordHash, __version__
from fastbearer._core import (
    argon2_engine,
    ed25519_engine,
    libcrypto_version,
    libsodium_version,
    scrypt_engine,
)
from fastbearer.cli.log import logged
from fastbearer.errors import (
    ConfigurationError,
    InactiveTokenError,
    KeySourceError,
    StoreUnavailableError,
    TokenError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from logging import LogRecord

    from fastbearer.fastapi import Auth, Settings
    from fastbearer.issuers import Issuer

__all__ = ["Finding", "findings"]

CLOCK_SECONDS = 5
"""By how much a Date header may be off, being whole seconds and on its way."""

SECRETS = re.compile(r"secret|private_key|headers|jwt_issuers")
WORD = re.compile(r"\S+")
QUERY = re.compile(r"\?[^\s,]*")
HOST = r"(?:[\w.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?"
CLEAR_URL = re.compile(
    r"(?P<scheme>[a-z0-9+.-]+://)(?P<user>[^@?]*@)?"
    rf"(?P<place>(?:{HOST}(?:,{HOST})*)?(?:/[^@?#&;=]*)?)(?P<query>[?#][^@]*)?",
    re.IGNORECASE,
)
"""One with at most one @, that of its user: which of two it is would be a guess.

Where its path gives a value to a name, a question mark is missing before a query.
"""

SHOWN_KEYS = 20
SHOWN_TEXT = 200

SEE_SOURCE = "see that the URL is right and that this machine may reach it"
SEE_CLIENT = (
    "see that INTROSPECTION_CLIENT_ID, or client_id in JWT_ISSUERS, and its secret or"
    " key are those of a client that may ask"
)
NO_KEYS = "no keys: its discovery document has no jwks_uri: only opaque tokens are good"
NOT_ACTIVE = "introspection: a made-up token is not active, as it should be"
ACTIVE = (
    "introspection: a made-up token is active: see that INTROSPECTION_URL is an"
    " endpoint of RFC 7662"
)
SEE_CLOCK = (
    "let both clocks be set by NTP, or set JWT_LEEWAY to more than the difference"
)
NO_TASKS = (
    "fastbearer_task, which `fastbearer serve` alone needs, is not made, or of another"
    " version: `fastbearer migrate` makes it"
)
NO_PROXIES = (
    "FORWARDED_HEADER=forwarded is used for nothing: name your proxies in"
    " TRUSTED_PROXIES"
)
SEE_SERVER = (
    "Forwarded counts, which uvicorn does not know: start it with --no-proxy-headers"
    " (`fastbearer serve` reads nothing else)"
)
SEE_REDIS = "see that Redis runs, and that REDIS_URL has its host, user and password"


class Finding(NamedTuple):
    """One line of the report.

    Attributes:
        is_wrong: Whether something has to be done.
        subject: What was looked at.
        text: What there is to say of it.
    """

    is_wrong: bool
    subject: str
    text: str


def findings() -> Iterator[Finding]:
    """Yield what there is to say, each when it is known."""
    python = f"Python {sys.version.split()[0]}"
    text = f"fastbearer {__version__}, {python}, {libcrypto_version}"
    text += f", libsodium {libsodium_version}" if libsodium_version else ""
    yield Finding(False, "versions", text)
    text = f"Ed25519 verified by {ed25519_engine}, everything else by libcrypto"
    yield Finding(False, "signatures", text)
    yield password_engine()
    try:
        from fastbearer.fastapi import Auth, Settings
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("fastbearer"):
            raise
        text = "not read: they need pip install 'fastbearer[fastapi]'"
        yield Finding(False, "settings", text)
        return
    try:
        settings = Settings()
    except ConfigurationError as error:
        yield Finding(True, "settings", str(error))
        return
    yield Finding(False, "settings", ", ".join(in_force(settings)) or "the defaults")
    yield from proxies(settings)
    auth = Auth(settings)
    yield from issuers(auth)
    yield from database(settings)
    yield from redis(auth)


def proxies(settings: Settings) -> Iterator[Finding]:
    """Yield whether a server may read another header than the one that counts."""
    if settings.forwarded_header == "x-forwarded-for":
        return
    if settings.trusted_proxies is None:
        yield Finding(True, "proxies", NO_PROXIES)
    elif "FORWARDED_ALLOW_IPS" in os.environ:
        yield Finding(True, "proxies", f"FORWARDED_ALLOW_IPS is set: {SEE_SERVER}")
    else:
        yield Finding(False, "proxies", SEE_SERVER)


def password_engine() -> Finding:
    try:
        hasher = PasswordHash.recommended()
        works = hasher.verify("a password", hasher.hash("a password"))
    except (FastbearerError, MemoryError) as error:
        return Finding(True, "passwords", f"cannot be hashed: {type(error).__name__}")
    text = f"Argon2 by {argon2_engine}, scrypt by {scrypt_engine}"
    return Finding(not works, "passwords", text if works else f"{text}: wrong answers")


def in_force(settings: Settings) -> Iterator[str]:
    """Yield the settings that somebody has set, without secrets."""
    from fastbearer.fastapi.token_settings import as_variable

    fields = type(settings).model_fields
    for name in sorted(settings.model_fields_set):
        value = getattr(settings, name)
        is_secret = SECRETS.search(name) or hasattr(value, "get_secret_value")
        if value is not None:
            text = as_variable(fields[name], value)
            is_url = name.endswith("_url") and not fields[name].repr
            show = public_url if is_url else public
            yield f"{name.upper()}={'(set)' if is_secret else show(text)}"


def public_url(text: str) -> str:
    """Return what a URL names, without user, password and query.

    Where it is not understood, a password may be anywhere: nothing is shown then.
    """
    found = CLEAR_URL.fullmatch(text)
    if found is None:
        return "(set)"
    user = "...@" if found["user"] else ""
    query = "?..." if found["query"] else ""
    return shortened(f"{found['scheme']}{user}{found['place']}{query}")


def public(text: str) -> str:
    """Return a string without what URLs may hide, in ASCII, and not too long."""
    return shortened(QUERY.sub("?...", WORD.sub(_without_user, text)))


def shortened(text: str) -> str:
    """Return a string in ASCII, and not too long."""
    shown = ascii(text)[1:-1]
    return shown if len(shown) <= SHOWN_TEXT else shown[:SHOWN_TEXT] + "..."


def _without_user(word: re.Match[str]) -> str:
    """Return a word without what a URL in it has before its host."""
    head, slashes, rest = word[0].partition("//")
    _, at, host = rest.rpartition("@")
    return f"{head}//...@{host}" if slashes and at else word[0]


# --- issuers -----------------------------------------------------------------------


def issuers(auth: Auth) -> Iterator[Finding]:
    """Yield of each issuer whether its keys are there, and whether clocks agree."""
    try:
        every = auth.issuers.every
        _ = auth.verifier
    except FastbearerError as error:
        yield Finding(True, "issuers", str(error))
        return
    for issuer in every:
        yield from of_issuer(issuer, subject_of(issuer, auth))


def subject_of(issuer: Issuer, auth: Auth) -> str:
    """Return what its lines are about; tokens of the secret may have no issuer."""
    name = public(issuer.names[0] or "without iss") if issuer.names else "any"
    if issuer is not auth.issuers.own:
        return f"issuer {name}"
    named = auth.settings.jwt_issuer is not None
    return f"tokens of the secret, issuer {name}" if named else "tokens of the secret"


def of_issuer(issuer: Issuer, subject: str) -> Iterator[Finding]:
    """Yield what there is to say of its keys, its clock and its introspection."""
    keys: Any = issuer.keys
    if isinstance(keys, KeySet):
        yield Finding(False, subject, f"keys loaded: {shown_keys(keys)}")
        if issuer.introspect is not None:
            yield introspection(issuer, None, subject)
        return
    from fastbearer.issuers.member import Member

    each = [replace(issuer, url=name) for name in issuer.names if keys is None]
    sources: list[Any] = [Member(one).source for one in each or [issuer]]
    for source in sources:
        yield from of_source(issuer, source, subject)
    if issuer.introspect is not None:
        yield introspection(issuer, sources[0], subject)


def of_source(issuer: Issuer, source: Any, subject: str) -> Iterator[Finding]:
    """Yield whether keys are there, and whether clocks agree."""
    with logged() as records:
        try:
            found = source.keys()
        except KeySourceError as error:
            if issuer.introspect is not None and has_no_keys(source):
                yield Finding(False, subject, NO_KEYS)
                return
            why = reason_of(error, records)
            yield Finding(True, subject, f"no keys: {why}: {SEE_SOURCE}")
            return
    yield Finding(False, subject, f"keys fetched: {shown_keys(found)}")
    for skipped in found.skipped:
        kid = public(str(skipped.kid))
        text = f"left out: the key {kid}: {skipped.message}"
        yield Finding(False, subject, text)
    yield from clock_of(issuer, source, subject)


def has_no_keys(source: Any) -> bool:
    """Tell whether an issuer has a discovery document, and no keys by it."""
    if not hasattr(source, "metadata"):
        return False
    try:
        return asyncio.run(source.metadata()).get("jwks_uri") is None
    except KeySourceError:
        return False


def introspection(issuer: Issuer, source: Any, subject: str) -> Finding:
    """Ask the issuer about a token that nobody has."""
    from fastbearer.issuers.opaque import OpaqueVerifier

    made_up = secrets.token_urlsafe(32)
    with logged() as records:
        try:
            metadata = source if hasattr(source, "metadata") else None
            OpaqueVerifier(issuer, metadata).verify(made_up)
        except InactiveTokenError:
            return Finding(False, subject, NOT_ACTIVE)
        except TokenError:
            return Finding(True, subject, ACTIVE)
        except KeySourceError as error:
            is_refused = any(getattr(one, "is_refused", False) for one in records)
            hint = SEE_CLIENT if is_refused else SEE_SOURCE
            text = f"introspection: {reason_of(error, records)}: {hint}"
            return Finding(True, subject, text)
    return Finding(True, subject, ACTIVE)


def reason_of(error: Exception, records: list[LogRecord]) -> str:
    """Return why something has failed: the log knows it, if anything does."""
    return public("; ".join(one.getMessage() for one in records) or str(error))


def shown_keys(keys: KeySet) -> str:
    """Return the keys by their ids and algorithms."""
    shown = [
        f"{public(key.kid)} ({algorithms})" if key.kid else algorithms
        for key in list(keys)[:SHOWN_KEYS]
        for algorithms in ["/".join(key.algorithms)]
    ]
    more = len(keys) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def clock_of(issuer: Issuer, source: Any, subject: str) -> Iterator[Finding]:
    """Yield by how much the issuer's clock differs, by its Date (RFC 9110 6.6.1)."""
    from fastbearer.jwks.fetch import Fetcher, FetchError
    from fastbearer.jwks.metadata import metadata_urls

    url = getattr(source, "url", None)
    if url is None and isinstance(getattr(source, "issuer", None), str):
        url = metadata_urls(source.issuer)[0]
    if url is None:
        return
    fetcher = Fetcher(
        allow_http=issuer.allow_http,
        headers=issuer.headers,
        ssl_context=issuer.ssl_context,
    )
    try:
        answer = asyncio.run(fetcher.get(url))
        date = parsedate_to_datetime(answer.headers.get("Date", ""))
    except (FetchError, ValueError, OverflowError):
        yield Finding(False, subject, "its clock is not told: there is no Date")
        return
    if date.tzinfo is None:  # such dates are in UTC, not in the time of this place
        date = date.replace(tzinfo=UTC)
    difference = round(date.timestamp() - time.time())
    leeway: Any = issuer.leeway
    allowed = leeway if isinstance(leeway, (int, float)) else leeway.total_seconds()
    text = f"its clock differs by {difference} s"
    is_wrong = abs(difference) > allowed + CLOCK_SECONDS
    yield Finding(is_wrong, subject, f"{text}: {SEE_CLOCK}" if is_wrong else text)


# --- stores ------------------------------------------------------------------------


def missing_file(folder: Path) -> Finding:
    """Return whether a file of SQLite can be made in a folder."""
    from fastbearer.connections.reasons import NO_FILE

    if os.access(folder, os.W_OK | os.X_OK):
        text = "SQLite: the file is made when the application starts"
        return Finding(False, "database", text)
    return Finding(True, "database", f"SQLite: {NO_FILE}")


def database(settings: Settings) -> Iterator[Finding]:
    """Yield whether the database answers, and whether its tables are up to date."""
    if "database_url" not in settings.model_fields_set:
        return
    try:
        from fastbearer.accounts import Database
        from fastbearer.app.migrations import TASKS
        from fastbearer.connections.engine import parsed_url
        from fastbearer.connections.pooler import pooled
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("fastbearer"):
            raise
        text = "not looked at: it needs pip install 'fastbearer[accounts]'"
        yield Finding(False, "database", text)
        return
    try:
        name = "DATABASE_URL"
        written = pooled(settings.database_url, settings.database_pooler, name)
        url = parsed_url(written, name)
        file = url.database or ":memory:"
        if url.get_backend_name() == "sqlite" and not Path(file).exists():
            yield missing_file(Path(file).parent)
            return
        asyncio.run(Database(lambda: written).check())
    except ConfigurationError as error:
        yield Finding(True, "database", str(error))
        return
    tables = "reached, and the accounts' tables are up to date"
    yield Finding(False, "database", tables)
    whole = Database(lambda: written)
    whole.add(TASKS)
    try:
        asyncio.run(whole.check())
    except ConfigurationError:
        yield Finding(False, "database", NO_TASKS)


def redis(auth: Auth) -> Iterator[Finding]:
    """Yield whether Redis does what a sign-in needs."""
    try:
        if auth.redis is None:
            return
    except ConfigurationError as error:
        yield Finding(True, "redis", str(error))
        return
    try:
        from fastbearer.accounts import Accounts
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("fastbearer"):
            raise
        text = "not looked at: it needs pip install 'fastbearer[accounts,redis]'"
        yield Finding(False, "redis", text)
        return
    try:
        with logged():
            asyncio.run(Accounts(auth).probe_redis())
    except ConfigurationError as error:
        yield Finding(True, "redis", str(error))
    except StoreUnavailableError as error:
        yield Finding(True, "redis", f"{error}: {SEE_REDIS}")
    else:
        yield Finding(False, "redis", "does what a sign-in needs")
