"""How each library of tokens is called, beside those of benchmarks/tokens.py.

Keys are loaded before, and each is called in the fastest way that its documentation
shows, with the checks that it has: signature, ``exp``, and ``iss`` and ``aud`` where
the token has them.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import benchmarks.tokens
from benchmarks.report.figures import PEERS, is_installed
from benchmarks.tokens import AUDIENCE, ISSUER, Claims, Peer, Token
from benchmarks.tokens import PEERS as KNOWN

from fastbearer import Key

SECRET = (benchmarks.tokens.SECRET * 2)[:64]
"""As long as HS512 asks for; no hash has to shorten it first."""

benchmarks.tokens.SECRET = SECRET

CURVES = ("ES256", "ES384", "ES512", "ES256K")


def oxyjwt_calls(algorithm: str, key: Key, token: Token) -> Peer | None:
    """Return oxyjwt's calls: PyJWT's, over Rust."""
    import oxyjwt

    private, public = _pem_pair(key, algorithm)
    name = _pem_reader(algorithm)
    if algorithm.startswith("HS"):
        signing = oxyjwt.EncodingKey.from_secret(SECRET.encode())
        verifying = oxyjwt.DecodingKey.from_secret(SECRET.encode())
    else:
        signing = getattr(oxyjwt.EncodingKey, name)(private)
        verifying = getattr(oxyjwt.DecodingKey, name)(public)
    checks: dict[str, Any] = {"options": {"require": ["exp", *token.checks]}}
    checks |= {"issuer": ISSUER, "audience": AUDIENCE} if token.checks else {}
    decode = partial(oxyjwt.decode, key=verifying, algorithms=[algorithm], **checks)
    encode = partial(oxyjwt.encode, key=signing, algorithm=algorithm)
    return Peer("oxyjwt", decode, encode)


def clasp_calls(algorithm: str, key: Key, token: Token) -> Peer | None:
    """Return clasp's check, and the reading of the JSON text that it gives."""
    import clasp

    _, public = _pem_pair(key, algorithm)
    if algorithm.startswith("HS"):
        made = clasp.SymmetricKey(SECRET.encode(), algorithm)
    else:
        read = getattr(clasp.AsymmetricKey, _pem_reader(algorithm))
        made = read(public, algorithm)
    verify, loads = made.verify, json.loads
    return Peer("clasp-jwt", lambda text: loads(verify(text)), None)


def authlib_calls(algorithm: str, key: Key, token: Token) -> Peer | None:
    """Return the calls of Authlib's own JWT, which it calls deprecated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from authlib.jose import JsonWebKey, JsonWebToken

    jwt = JsonWebToken([algorithm])
    loaded = JsonWebKey.import_key(key.to_jwk(private=True))
    rules: dict[str, Any] = {
        name: {"essential": True, "value": value}
        for name, value in token.checks.items()
    }
    options = {"exp": {"essential": True}, **rules}

    def verify(text: str) -> Claims:
        claims = jwt.decode(text, loaded, claims_options=options)
        claims.validate()
        return claims  # type: ignore[no-any-return]

    def sign(claims: Claims) -> bytes:
        return jwt.encode({"alg": algorithm}, claims, loaded)  # type: ignore[no-any-return]

    return Peer("Authlib", verify, sign)


def _pem_pair(key: Key, algorithm: str) -> tuple[bytes, bytes]:
    if algorithm.startswith("HS"):
        return b"", b""
    return key.to_pem(private=True).encode(), key.public().to_pem().encode()


def _pem_reader(algorithm: str) -> str:
    if algorithm in CURVES:
        return "from_ec_pem"
    return "from_ed_pem" if algorithm == "EdDSA" else "from_rsa_pem"


FURTHER: dict[str, Callable[[str, Key, Token], Peer | None]] = {
    "oxyjwt": oxyjwt_calls,
    "clasp-jwt": clasp_calls,
    "Authlib": authlib_calls,
}

NOTES = {
    "ryjwt": "does not require exp",
    "clasp-jwt": "verifies only; checks neither iss nor aud; gives JSON text",
    "Authlib": "its JWT is deprecated in favour of joserfc",
}


def token_peers(algorithm: str, key: Key, token: Token) -> Iterator[Peer]:
    """Yield the calls of each library that has the algorithm."""
    names = {module: package for package, module in PEERS.items()}
    makers = {
        names[module]: make for module, make in KNOWN.items() if module in names
    } | FURTHER
    ours = KNOWN["fastbearer"](algorithm, key, token)
    assert ours is not None
    yield ours
    for package, make in makers.items():
        if not is_installed(package):
            continue
        try:
            peer = make(algorithm, key, token)
        except Exception:  # it has no such algorithm, which each says in its own way
            continue
        if peer is not None:
            yield peer
