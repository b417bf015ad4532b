"""docs/better-auth/options.md has a row for each option that a backend may notice."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from better_auth_server import NEWEST, installed_packages
from project import ROOT

PAGE = ROOT / "docs" / "better-auth" / "options.md"
OPTIONS = re.findall(
    r"\S+",
    """
    secret secrets baseURL baseURL.allowedHosts baseURL.protocol baseURL.fallback
    basePath trustedOrigins database database.casing database.schemaName
    secondaryStorage emailVerification emailAndPassword.minPasswordLength
    emailAndPassword.maxPasswordLength emailAndPassword.password
    emailAndPassword.revokeSessionsOnPasswordReset user.modelName user.fields
    user.additionalFields session.modelName session.fields session.additionalFields
    session.expiresIn session.updateAge session.disableSessionRefresh
    session.deferSessionRefresh session.freshAge session.storeSessionInDatabase
    session.preserveSessionInDatabase session.cookieCache.enabled
    session.cookieCache.maxAge session.cookieCache.strategy
    session.cookieCache.version session.cookieCache.refreshCache account.modelName
    account.fields account.encryptOAuthTokens account.storeStateStrategy
    account.skipStateCookieCheck account.storeAccountCookie verification rateLimit
    advanced.useSecureCookies advanced.cookiePrefix advanced.cookies.name
    advanced.cookies.attributes advanced.defaultCookieAttributes
    advanced.crossSubDomainCookies advanced.disableCSRFCheck
    advanced.disableOriginCheck advanced.ipAddress advanced.trustedProxyHeaders
    advanced.database.generateId advanced.database.joins databaseHooks
    jwt.jwks.keyPairConfig jwt.jwks.keyPairConfigs jwt.jwks.jwksPath
    jwt.jwks.remoteUrl jwt.jwks.rotationInterval jwt.jwks.gracePeriod
    jwt.jwks.disablePrivateKeyEncryption jwt.jwt.issuer jwt.jwt.audience
    jwt.jwt.expirationTime jwt.jwt.definePayload jwt.jwt.getSubject jwt.jwt.sign
    jwt.adapter jwt.disableSettingJwtHeader jwt.sessionCookieCache
    bearer.requireSignature multiSession oneTimeToken oauthProvider apiKey twoFactor
    anonymous admin organization customSession username phoneNumber lastLoginMethod
    deviceAuthorization expo
""",
)
NOTHING_COMES_OF = frozenset(
    (
        "appName",
        "socialProviders",
        "plugins",
        "onAPIError",
        "hooks",
        "disabledPaths",
        "telemetry",
        "experimental",
        "logger",
    )
)
"""They change pages, logs and routes of the server."""


def rows() -> dict[str, list[str]]:
    """Return option -> the cells after it."""
    table = PAGE.read_text().partition("<!-- options -->")[2].partition("\n\n")[0]
    lines = [line.strip("| ").split(" | ") for line in table.strip().splitlines()[2:]]
    return {cells[0].strip("`"): cells[1:] for cells in lines}


def names_of_tests() -> set[str]:
    found: set[str] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        found.update(re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE))
    return found


def test_each_option_has_a_row() -> None:
    assert list(rows()) == OPTIONS


def test_what_is_supported_is_shown_by_tests() -> None:
    known = names_of_tests()
    for option, cells in rows().items():
        named = re.findall(r"`(test_\w+)`", cells[-1]) if len(cells) > 2 else []
        assert set(named) <= known, option
        assert cells[0] in ("yes", "in part", "no"), option
        assert bool(named) or cells[0] != "yes", option
        assert len(cells[1]) > 3, option


@pytest.mark.node
def test_no_group_of_options_is_forgotten() -> None:
    """Those of the installed version: an update may bring new ones."""
    types = Path("node_modules/@better-auth/core/dist/types/init-options.d.mts")
    text = (installed_packages(NEWEST) / types).read_text()
    body = text[text.index("type BetterAuthOptions = {") :]
    groups = set(re.findall(r"^  (\w+)\?:", body, re.MULTILINE))
    assert {"session", "advanced", "trustedOrigins"} <= groups
    known = {option.partition(".")[0] for option in OPTIONS}
    assert groups - known - NOTHING_COMES_OF == set()


@pytest.mark.node
@pytest.mark.parametrize("group", ["session", "cookieCache", "advanced", "account"])
def test_no_option_of_a_group_is_forgotten(group: str) -> None:
    types = Path("node_modules/@better-auth/core/dist/types/init-options.d.mts")
    lines = (installed_packages(NEWEST) / types).read_text().splitlines()
    marks = {"advanced": "type BetterAuthAdvancedOptions"}
    mark = marks.get(group, f"{group}?: ")
    starts = (line.strip().removeprefix("export ") for line in lines)
    start = next(at for at, line in enumerate(starts) if line.startswith(mark))
    indent = len(lines[start]) - len(lines[start].lstrip()) + 2
    named = re.compile(rf"^ {{{indent}}}(\w+)\?:")
    end = re.compile(rf"^ {{0,{indent - 2}}}}}")
    found = set()
    for line in lines[start + 1 :]:
        if end.match(line):
            break
        found.update(named.findall(line))
    assert len(found) > 3
    text = " ".join(f".{option}." for option in OPTIONS)
    forgotten = {one for one in found if f".{one}." not in text}
    assert forgotten <= FOR_THE_SERVER


FOR_THE_SERVER = frozenset(
    (
        "backgroundTasks",
        "skipTrailingSlashes",
        "updateAccountOnSignIn",
        "accountLinking",
        "cookieCache",
        "cookies",
    )
)
