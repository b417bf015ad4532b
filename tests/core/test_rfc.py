"""The worked examples of RFC 7515, 7520, 7638, 7797 and 8037."""

from __future__ import annotations

import json
from typing import Any

import pytest

import fastbearer
from fastbearer import (
    ExpiredTokenError,
    Key,
    MalformedTokenError,
    TokenError,
    Verifier,
    jws,
)
from project import VECTORS

RFC = VECTORS / "rfc"
needs_vectors = pytest.mark.skipif(not RFC.exists(), reason=f"no vectors at {RFC}")

WORKED = ("4_1", "4_2", "4_3", "4_4", "curve25519")
"""RFC 7520 4.1 to 4.4 and RFC 8037 A.4: the compact ones."""


def cases() -> list[Any]:
    path = RFC / "jose_rfc_examples.json"
    if not path.exists():
        return []
    return [
        pytest.param(case, id=case["id"])
        for case in json.loads(path.read_text())["cases"]
    ]


def cookbook() -> list[Any]:
    return [
        pytest.param(json.loads(path.read_text()), id=path.stem)
        for path in sorted((RFC / "cookbook").glob("*.json"))
        if "jwk__" not in path.name
    ]


def key_of(case: dict[str, Any]) -> Key:
    return Key.from_jwk(case["jwk"], case["alg"])


@needs_vectors
@pytest.mark.parametrize("case", cases())
def test_the_examples_verify_or_are_refused(case: dict[str, Any]) -> None:
    if case["jws_verify"] != "valid":
        key = key_of(case) if "jwk" in case else Key.generate("HS256")
        with pytest.raises(TokenError):
            jws.verify(case["jws"], key)
        return
    payload = jws.verify(case["jws"], key_of(case))
    assert payload
    assert payload.hex() == case.get("payload_hex", payload.hex())


@needs_vectors
@pytest.mark.parametrize(
    "case", [case for case in cases() if "jwt_claims" in case.values[0]]
)
def test_the_examples_expire_at_their_second(case: dict[str, Any]) -> None:
    key = key_of(case)
    early = Verifier(key, clock=lambda: case["jwt_now_valid"])
    late = Verifier(key, clock=lambda: case["jwt_now_expired"])
    assert early.verify(case["jws"]) == case["jwt_claims"]
    with pytest.raises(ExpiredTokenError):
        late.verify(case["jws"])


@needs_vectors
@pytest.mark.parametrize(
    "case", [case for case in cases() if case.values[0].get("sign_reproducible")]
)
def test_the_reproducible_signatures_are_made_again(case: dict[str, Any]) -> None:
    """Our header is not theirs, so the signing input is signed by its parts."""
    if case["jws_verify"] != "valid":
        pytest.skip("an example of what must not verify")
    key = key_of(case)
    header = case.get("protected_header", "")
    if header != json.dumps({"alg": case["alg"]}, separators=(",", ":")):
        pytest.skip("its header has more than alg, or white space")
    made = jws.sign(bytes.fromhex(case["payload_hex"]), key)
    assert made == case["jws"]


@needs_vectors
@pytest.mark.parametrize("example", cookbook())
def test_the_cookbook(example: dict[str, Any], request: pytest.FixtureRequest) -> None:
    compact = example["output"].get("compact")
    is_worked = any(name in request.node.callspec.id for name in WORKED)
    if not is_worked:
        token = compact or json.dumps(example["output"].get("json"))
        key = example["input"]["key"]
        keys = [Key.from_jwk(one) for one in (key if isinstance(key, list) else [key])]
        with pytest.raises(TokenError):
            jws.verify(token, fastbearer.KeySet(keys))
        return
    key = Key.from_jwk(example["input"]["key"], example["input"]["alg"])
    assert jws.verify(compact, key) == example["input"]["payload"].encode()
    with pytest.raises(MalformedTokenError):  # text, not claims
        Verifier(key, require=()).verify(compact)


def test_thumbprints() -> None:
    """RFC 7638 3.1 and RFC 8037 A.3."""
    rsa = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxu"
        "hDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN"
        "5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5"
        "hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBni"
        "Iqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    )
    key = Key.from_jwk({"kty": "RSA", "n": rsa, "e": "AQAB", "alg": "RS256"})
    assert key.thumbprint() == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    edwards = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    key = Key.from_jwk({"kty": "OKP", "crv": "Ed25519", "x": edwards})
    assert key.thumbprint() == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
