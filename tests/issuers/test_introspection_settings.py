"""How tokens are asked about, as JWT_ISSUERS says it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fastbearer import ConfigurationError, Key
from fastbearer.issuers import Introspection
from fastbearer.issuers.settings import issuer_of

SECRET = "not-to-be-shown"
CLIENT = {"client_id": "api", "client_secret": SECRET}


def introspect(**given: Any) -> Introspection:
    issuer = issuer_of({"url": "https://id.example.com", "introspect": given})
    found = issuer.introspect
    assert isinstance(found, Introspection)
    return found


def test_an_object_has_the_arguments_of_an_introspection() -> None:
    found = introspect(
        **CLIENT,
        url="https://id.example.com/introspect",
        auth="client_secret_post",
        always=True,
        lifetime=5,
        token_types=["Bearer"],
        timeout=None,
    )
    assert found.url == "https://id.example.com/introspect"
    assert found.client.method == "client_secret_post"
    assert (found.always, found.lifetime, found.timeout) == (True, 5, 5)
    assert found.token_types == {"bearer"}


def test_a_profile_has_one_as_well() -> None:
    settings = {"profile": "zitadel", "domain": "id.example.com", "project": "p1"}
    issuer = issuer_of({**settings, "introspect": CLIENT})
    assert isinstance(issuer.introspect, Introspection)


def test_a_private_key_may_be_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_text(Key.generate("ES256").to_pem(private=True))
    found = introspect(client_id="api", private_key_file=str(path))
    assert found.client.method == "private_key_jwt"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({**CLIENT, "client_secrets": "x"}, "did you mean client_secret?"),
        ({**CLIENT, "ssl_context": "x"}, "in code only"),
        ({"client_id": "api"}, "client_secret or private_key"),
        ({**CLIENT, "lifetime": SECRET}, "lifetime"),
        ({**CLIENT, "private_key_file": "x", "private_key": "y"}, "one path"),
        ({"client_id": "a", "private_key_file": "/nowhere/x"}, "cannot be read"),
        ({"client_id": "a", "private_key": SECRET}, "introspect: "),
        ({**CLIENT, "headers": SECRET}, "introspect: "),
        ({**CLIENT, "headers": {"X": 1}}, "introspect: "),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_named_and_not_shown(
    given: dict[str, Any], says: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        introspect(**given)
    assert says in str(caught.value)
    assert SECRET not in str(caught.value)


def test_what_is_no_object_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="introspect must be an object"):
        issuer_of({"url": "https://id.example.com", "introspect": SECRET})
