"""Tokens and keys that libraries disagree about, and how each library is asked."""

from __future__ import annotations

import base64
import json
import warnings
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fastbearer import Key, Verifier
from handmade_tokens import b64, raw_token, signed
from project import SECRET

YEAR_2100 = 4102444800
HS256 = b'{"alg":"HS256"}'
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class Case(NamedTuple):
    """A token, and the key that it is verified with."""

    token: str
    key: str = SECRET
    algorithm: str = "HS256"


def claims(**more: object) -> bytes:
    """Return claims that are good until 2100, with others."""
    return json.dumps({"sub": "ada", "exp": YEAR_2100, **more}).encode()


def of_claims(payload: bytes, header: bytes = HS256) -> Case:
    return Case(raw_token(header, payload))


def of_header(header: bytes) -> Case:
    return of_claims(claims(), header)


def of_secret(secret: str) -> Case:
    """Return a token that is signed with this as its HMAC secret."""
    return Case(signed(f"{b64(HS256)}.{b64(claims())}", secret), secret)


def unsigned() -> Case:
    header = b64(b'{"alg":"none"}')
    return Case(f"{header}.{b64(claims())}.")


def with_spare_bit() -> Case:
    """Return a good token with a bit in its last character that carries nothing."""
    token = of_claims(claims()).token
    return Case(token[:-1] + ALPHABET[ALPHABET.index(token[-1]) | 1])


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def public_key(encoding: Encoding, bits: int = 2048) -> bytes:
    kind = PublicFormat.SubjectPublicKeyInfo
    return rsa_key(bits).public_key().public_bytes(encoding, kind)


def of_short_rsa() -> Case:
    """Return a token that is signed with an RSA key of 1024 bits."""
    header = b64(b'{"alg":"RS256"}')
    signing_input = f"{header}.{b64(claims())}"
    made = rsa_key(1024).sign(signing_input.encode(), padding.PKCS1v15(), SHA256())
    pem = public_key(Encoding.PEM, 1024).decode()
    return Case(f"{signing_input}.{b64(made)}", pem, "RS256")


def cases() -> dict[str, Case]:
    """Return each case by its name on the page."""
    pem = public_key(Encoding.PEM).decode()
    jwk = json.dumps(Key.from_pem(pem).to_jwk())
    der = base64.b64encode(public_key(Encoding.DER)).decode()
    twice = b'{"sub":"ada","sub":"bob","exp":%d}' % YEAR_2100
    return {
        "a good token": of_claims(claims()),
        "`alg` none": unsigned(),
        "no `exp`": of_claims(b'{"sub":"ada"}'),
        "an `exp` that is a string": of_claims(claims(exp=str(YEAR_2100))),
        "an `aud`, where none is expected": of_claims(claims(aud="others")),
        "an `iat` in the future": of_claims(claims(iat=YEAR_2100 - 60)),
        "a `sub` that is a number": of_claims(claims(sub=7)),
        "`crit` with an unknown name": of_header(b'{"alg":"HS256","crit":["x"],"x":1}'),
        "`alg` twice in the header": of_header(b'{"alg":"none","alg":"HS256"}'),
        "`sub` twice in the claims": of_claims(twice),
        "`NaN` in the claims": of_claims(claims(x=float("nan"))),
        "a lone surrogate in the claims": of_claims(claims(sub="\ud800")),
        "a `=` at the end": Case(of_claims(claims()).token + "="),
        "a spare bit in the last character": with_spare_bit(),
        "a public key as the secret: PEM": of_secret(pem),
        "a public key as the secret: JWK": of_secret(jwk),
        "a public key as the secret: base64 of DER": of_secret(der),
        "an empty secret": of_secret(""),
        "a secret of 6 bytes": of_secret("secret"),
        "an RSA key of 1024 bits": of_short_rsa(),
    }


def ours(case: Case) -> None:
    if case.algorithm == "HS256":
        key = Key.from_secret(case.key)
    else:
        key = Key.from_pem(case.key, case.algorithm)
    Verifier(key).verify(case.token)


def pyjwt(case: Case) -> None:
    import jwt

    jwt.decode(case.token, case.key, algorithms=[case.algorithm])


def joserfc(case: Case) -> None:
    from joserfc import jwk, jwt

    kind = jwk.OctKey if case.algorithm == "HS256" else jwk.RSAKey
    key = kind.import_key(case.key)
    token = jwt.decode(case.token, key, algorithms=[case.algorithm])
    jwt.JWTClaimsRegistry().validate(token.claims)


def authlib(case: Case) -> None:
    with warnings.catch_warnings(record=True):  # it says that authlib.jose goes away
        from authlib.jose import JsonWebToken

    JsonWebToken([case.algorithm]).decode(case.token, case.key).validate()


def python_jose(case: Case) -> None:
    from jose import jwt

    jwt.decode(case.token, case.key, algorithms=[case.algorithm])


PEERS = {
    "fastbearer": ours,
    "PyJWT": pyjwt,
    "joserfc": joserfc,
    "Authlib": authlib,
    "python-jose": python_jose,
}
"""What pip calls a library -> its usual call, which refuses by an error."""


def verdict(verify: Callable[[Case], None], case: Case) -> str:
    """Return what a library does with a case, as the page says it."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            verify(case)
        except Exception:
            return "refused"
    return "accepted, with a warning" if seen else "accepted"
