"""Each rule of a profile keeps a token out that no other rule would keep out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from fastbearer import KeySet
from fastbearer.errors import TokenError
from fastbearer.issuers import Issuer, IssuersVerifier
from providers import NOW, PROVIDERS, Provider


def is_good(issuer: Issuer, token: str) -> bool:
    verifier = IssuersVerifier([issuer], clock=lambda: NOW)
    try:
        claims = verifier.verify(token)
        verifier.naming_of(claims).user_id(claims)
    except TokenError:
        return False
    return True


def without_a_rule(issuer: Issuer) -> Iterator[tuple[str, Issuer]]:
    """Yield each rule, and the issuer that lacks it alone."""
    fields: Any = issuer
    yield "iss", replace(issuer, any_issuer=True)
    if not issuer.ignore_audience:
        yield "aud", replace(issuer, audience=None, ignore_audience=True)
    if issuer.typ is not None:
        yield "typ", replace(issuer, typ=None)
    if issuer.require_kid:
        yield "kid", replace(issuer, require_kid=False)
    for one in fields.require:
        # Every token needs an exp; who has no user is refused in any case; and a
        # required value is required.
        if one not in {"exp", "sub", *fields.required}:
            rest = [other for other in fields.require if other != one]
            yield f"require {one}", replace(issuer, require=rest)
    for one in fields.required:
        rest = {name: fields.required[name] for name in fields.required if name != one}
        yield f"required {one}", replace(issuer, required=rest)


def rules() -> Iterator[object]:
    for provider in PROVIDERS:
        issuer = provider.issuer(keys=KeySet([provider.key()]))
        for rule, lax in without_a_rule(issuer):
            yield pytest.param(provider, lax, id=f"{provider.name}: {rule}")


@pytest.mark.parametrize(("provider", "lax"), list(rules()))
def test_a_situation_needs_the_rule(provider: Provider, lax: Issuer) -> None:
    tokens = [provider.token(change) for change in provider.wrong.values()]
    assert is_good(lax, provider.token())
    assert any(is_good(lax, token) for token in tokens)
