"""docs/providers: the snippets of its pages are the issuers that are tested."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import pytest

from fastbearer.fastapi import Auth
from fastbearer.issuers import Issuer
from project import ROOT
from providers import PROVIDERS, Provider, members

PAGES = ROOT / "docs" / "providers"
INDEX = (PAGES / "index.md").read_text()
SECTION = re.compile(r"(?ms)^## (.+?)\n(.*?)(?=^## |\Z)")
PYTHON = re.compile(r"(?ms)^```python\n(.*?)^```$")
SHELL = re.compile(r"(?ms)^```sh\n(export JWT_ISSUERS=.*?)^```$")

SECTIONS = dict(SECTION.findall((PAGES / "others.md").read_text()))
for _page in PAGES.glob("*.md"):
    _title, _, _text = _page.read_text().partition("\n")
    SECTIONS.setdefault(_title.removeprefix("# "), _text)
HEADINGS = {
    "auth0": "Auth0",
    "azure_b2c": "Azure AD B2C",
    "better_auth": "Several Better Auth servers",
    "better_auth_oauth": "Better Auth's OAuth provider",
    "clerk": "Clerk",
    "cloudflare_access": "Cloudflare Access",
    "cognito": "Amazon Cognito",
    "descope": "Descope",
    "entra": "Microsoft Entra ID",
    "firebase": "Firebase",
    "github_actions": "GitHub Actions",
    "google": "Google",
    "google_iap": "Google's Identity-Aware Proxy",
    "keycloak": "Keycloak",
    "kinde": "Kinde",
    "logto": "Logto",
    "okta": "Okta",
    "stytch": "Stytch",
    "supabase": "Supabase",
    "workos": "WorkOS",
    "zitadel": "ZITADEL",
}
VARIANTS = {
    "cognito_id_tokens",
    "entra_external",
    "keycloak_clients",
    "okta_default",
    "zitadel_clients",
}
"""Providers that a sentence of a section speaks of, not its snippet."""

SHOWN = [one for one in PROVIDERS if one.name not in VARIANTS]
every_one = pytest.mark.parametrize("provider", SHOWN, ids=[one.name for one in SHOWN])


def value_in(shell: str) -> str:
    """Return the JWT_ISSUERS of a snippet, as a shell reads it."""
    script = f'{shell}\nprintf %s "$JWT_ISSUERS"'
    return subprocess.check_output(["sh", "-eu", "-c", script], text=True)


def test_each_provider_has_a_section() -> None:
    assert set(HEADINGS) == {one.name for one in SHOWN}
    assert set(HEADINGS.values()) <= set(SECTIONS)


@every_one
def test_the_snippet_in_code(provider: Provider) -> None:
    names: dict[str, Issuer] = {}
    first = PYTHON.search(SECTIONS[HEADINGS[provider.name]])
    assert first is not None
    exec(first[1], names)
    assert members(names["issuer"]) == members(provider.issuer())


@every_one
def test_the_snippet_in_the_environment(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = SHELL.search(SECTIONS[HEADINGS[provider.name]])
    assert shell is not None
    monkeypatch.setenv("JWT_ISSUERS", value_in(shell[1]))
    verifier: Any = Auth().verifier
    issuers = [members(one) for one in verifier.issuers]
    assert issuers == [members(provider.issuer())]


@pytest.mark.parametrize("profile", sorted({one.profile for one in SHOWN} - {None}))
def test_the_index_names_each_profile(profile: str) -> None:
    assert f"`Issuer.{profile}(" in INDEX


def test_a_provider_that_needs_no_profile_is_among_the_others() -> None:
    others = SECTION.findall((PAGES / "others.md").read_text())
    without = {HEADINGS[one.name] for one in SHOWN if one.profile is None}
    assert {title for title, _ in others} == without
