"""Calls of the core, each of whose allocations fails in turn.

Run with alloc_fail.so preloaded: ``python scarce_memory.py [every | leaks]``.
It prints a line for each call that did not do as it should: give its answer,
raise what it raises with memory to spare, or raise a MemoryError.
"""

from __future__ import annotations

import base64
import ctypes
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import alloc_call  # type: ignore[import-not-found]

from fastbearer import (
    ExpiredTokenError,
    InvalidAlgorithmError,
    InvalidAudienceError,
    InvalidClaimError,
    InvalidKeyError,
    InvalidSignatureError,
    Key,
    KeySet,
    MalformedTokenError,
    Signer,
    UnknownKeyError,
    Verifier,
    _core,
    jws,
    unverified_header,
)

SECRET = "0123456789abcdef0123456789abcdef"
NOW = 1_700_000_000
KEYS = {name: Key.generate(name) for name in ("RS256", "PS256", "ES256", "EdDSA")}
KEYS |= {"Ed448": Key.generate("Ed448"), "HS256": Key.from_secret(SECRET, kid="h")}


@dataclass(frozen=True)
class Entry:
    """A call, and what tells whether its answer is right or what it raises."""

    name: str
    call: Callable[..., Any]
    args: tuple[Any, ...] = ()
    named: dict[str, Any] = field(default_factory=dict)
    is_right: Callable[[Any], bool] = lambda _: True
    raises: type[Exception] | None = None


def clock() -> int:
    return NOW


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def is_(value: Any) -> Callable[[Any], bool]:
    return lambda answer: type(answer) is type(value) and answer == value


def is_key(key: Key) -> Callable[[Any], bool]:
    thumbprint = key.thumbprint()
    return lambda made: (
        (made.thumbprint(), made.algorithm, made.kid, made.is_private)
        == (thumbprint, key.algorithm, key.kid, key.is_private)
    )


def reading() -> Iterator[Entry]:
    """Yield what makes keys of texts and JWKs, and texts and JWKs of keys."""
    for name, key in KEYS.items():
        jwk = key.to_jwk(private=True)
        print_ = key.thumbprint()
        yield Entry(f"from_jwk {name}", Key.from_jwk, (jwk,), is_right=is_key(key))
        yield Entry(f"from_jwk text {name}", Key.from_jwk, (json.dumps(jwk),))
        padded = {**jwk, "x5c": [], "x5t": None}
        named: dict[str, Any] = {"lenient": True}
        yield Entry(f"lenient {name}", Key.from_jwk, (padded,), named, is_key(key))
        yield Entry(f"to_jwk {name}", key.to_jwk, (True,), is_right=is_(jwk))
        yield Entry(f"thumbprint {name}", key.thumbprint, is_right=is_(print_))
        if name == "HS256":
            continue
        pem, public = key.to_pem(private=True), key.to_pem()
        named = {"algorithm": name}
        yield Entry(f"from_pem {name}", Key.from_pem, (pem,), named, is_key(key))
        yield Entry(
            f"from_pem public {name}",
            Key.from_pem,
            (public,),
            named,
            is_key(key.public()),
        )
        yield Entry(f"to_pem {name}", key.to_pem, (True,), is_right=is_(pem))
        yield Entry(f"public {name}", key.public, is_right=is_key(key.public()))
    opened = {**KEYS["RS256"].public().to_jwk(), "alg": None}
    every = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
    yield Entry(
        "an open RSA key",
        _core.jwk_set_key,
        (opened, True),
        is_right=lambda key: key.algorithms == every,
    )
    for name in ("HS256", "ES256", "EdDSA"):
        yield Entry(f"generate {name}", Key.generate, (name,), {"kid": "k"})
    yield Entry("from_secret", Key.from_secret, (SECRET,), {"kid": "k\u00e9"})


def refused_keys() -> Iterator[Entry]:
    """Yield keys that must be refused, whatever check lacks the memory."""
    ec, rsa = KEYS["ES256"].to_jwk(), KEYS["RS256"].to_jwk(private=True)
    other = Key.generate("ES256").to_jwk(private=True)
    bad: dict[str, dict[str, Any]] = {
        "use": {**ec, "use": "enc"},
        "key_ops": {**ec, "key_ops": ["encrypt"]},
        "key_ops for signing": {**ec, "key_ops": ["sign"]},
        "alg": {**ec, "alg": "ES384"},
        "alg of HMAC": {**ec, "alg": "HS256"},
        "crv": {**ec, "crv": "P-384"},
        "y": {**ec, "y": ec["x"]},
        "kty": {**ec, "kty": "OKP"},
        "kid": {**ec, "kid": 5},
        "d": {**ec, "d": other["d"]},
        "oth": {**rsa, "oth": []},
        "rsa d": {**rsa, "d": rsa["dp"]},
        "dp": {**rsa, "dp": rsa["dq"]},
        "qi": {**rsa, "qi": rsa["dq"]},
        "p alone": {name: rsa[name] for name in ("kty", "n", "e", "d", "p")},
        "d alone": {**{name: rsa[name] for name in ("kty", "n", "e")}, "d": rsa["dp"]},
        "e": {"kty": "RSA", "n": rsa["n"], "e": "AQ"},
    }
    p = 2**255 - 19
    for y in (0, 1, p - 1, p, 2):
        x = b64(y.to_bytes(32, "little"))
        bad[f"point {y:x}"[:12]] = {"kty": "OKP", "crv": "Ed25519", "x": x}
    y8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
    x = b64(y8.to_bytes(32, "little"))
    bad["point of order 8"] = {"kty": "OKP", "crv": "Ed25519", "x": x}
    for name, jwk in bad.items():
        yield Entry(f"refused {name}", Key.from_jwk, (jwk,), raises=InvalidKeyError)
    explicit = ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
    explicit += ["-pkeyopt", "ec_param_enc:explicit"]
    pem = subprocess.run(["openssl", *explicit], capture_output=True, check=True).stdout
    yield Entry("refused curve", Key.from_pem, (pem,), raises=InvalidKeyError)
    secrets = ("short", KEYS["ES256"].to_pem(), json.dumps(ec))
    for n, text in enumerate(secrets):
        yield Entry(f"secret {n}", Key.from_secret, (text,), raises=InvalidKeyError)


def tokens() -> Iterator[Entry]:
    """Yield what signs and verifies."""
    claims = {
        "sub": "\u00e9\n",
        "aud": ["a"],
        "zz": [1.5, {"b": None}, 10**30],
        '"': 1e10,
    }
    for name, key in KEYS.items():
        verifier = Verifier(
            key, clock=clock, audience="a", require=("exp", "sub", "zz")
        )
        signer = Signer(key, clock=clock, lifetime=60)
        token, old = signer.sign(claims), Signer(key).sign({**claims, "exp": NOW - 9})
        bad = token[:-20] + "AAAA" + token[-16:]
        good, whole = verifier.verify(token), verifier.verify_complete(token)
        yield Entry(f"verify {name}", verifier.verify, (token,), is_right=is_(good))
        wholly = verifier.verify_complete
        yield Entry(f"verify all {name}", wholly, (token,), is_right=is_(whole))
        wrong, late = InvalidSignatureError, ExpiredTokenError
        yield Entry(f"verify bad {name}", verifier.verify, (bad,), raises=wrong)
        yield Entry(f"verify old {name}", verifier.verify, (old,), raises=late)
        sign = Signer(
            key, issuer="i", audience=["a"], lifetime=timedelta(60), clock=clock
        )
        given = {"a": [1, 2.5, None, True, {"x": "\u00e9" * 900}]}
        given["nbf"] = datetime(2020, 1, 1, tzinfo=UTC)
        yield Entry(f"sign {name}", sign.sign, (given,), {"headers": {"x": "y"}})
        text = jws.sign(b"hello", key)
        yield Entry(f"jws {name}", jws.verify, (text, key), is_right=is_(b"hello"))
    yield from refused_tokens()


def refused_tokens() -> Iterator[Entry]:
    key = KEYS["HS256"]
    plain = Verifier(key, clock=clock, require=())
    typed = Verifier(key, typ="at+jwt", require=())
    signer = Signer(key)
    at = signer.sign({"a": 1}, headers={"typ": "application/AT+JWT"})
    yield Entry("typ", typed.verify, (at,), is_right=is_({"a": 1}))
    signed = signer.sign({})
    yield Entry("wrong typ", typed.verify, (signed,), raises=InvalidClaimError)
    for name, payload, error in (
        ("aud", b'{"aud":"x"}', InvalidAudienceError),
        ("twice", b'{"a":1,"a":1}', MalformedTokenError),
        (
            "escaped twice",
            b'{"' + b"\\u0061" * 60 + b'":1,"b":1e999}',
            MalformedTokenError,
        ),
        ("exp", b'{"exp":1.2e9}', ExpiredTokenError),
    ):
        text = jws.sign(payload, key)
        yield Entry(f"refused {name}", plain.verify, (text,), raises=error)
    for name, header, error in (
        ("crit", b'{"alg":"HS256","crit":["b64"]}', MalformedTokenError),
        ("none", b'{"alg":"none"}', InvalidAlgorithmError),
        ("kid", b'{"alg":"HS256","kid":"zz"}', UnknownKeyError),
    ):
        text = b64(header) + ".e30." + "A" * 43
        yield Entry(f"refused {name}", plain.verify, (text,), raises=error)
    every = Verifier(KeySet(KEYS.values()), clock=clock, require=(), cache=4)
    text = Signer(KEYS["EdDSA"]).sign({"a": 1})
    yield Entry("keyset", every.verify, (text,), is_right=is_({"a": 1}))
    yield Entry("header", unverified_header, (signed,))
    options = {"issuer": ["i"], "leeway": timedelta(1), "require": ["exp", "q"]}
    options |= {"typ": "JWT", "max_age": 5, "cache": 9}
    yield Entry("Verifier", Verifier, (key,), options)
    yield Entry("Signer", Signer, (key,), {"issuer": "i", "audience": ["a"]})


def others() -> Iterator[Entry]:
    """Yield what reads requests, seals, and hashes."""
    name = b"authorization"
    headers = [(b"a", b"b"), [name, b"Bearer abc"], (b"cookie", b'ba.a=1; ba.b="2"')]
    yield Entry("bearer", _core.bearer_token, (headers, name), is_right=is_("abc"))
    cookies = {"ba.a": "1", "ba.b": "2"}
    yield Entry(
        "cookies", _core.cookie_values, (headers, b"ba."), is_right=is_(cookies)
    )
    twice = [(b"cookie", b"ba.a=1; ba.a=2; ba.a=3")]
    three = {"ba.a": ["1", "2", "3"]}
    yield Entry("cookie", _core.cookie_values, (twice, b"ba."), is_right=is_(three))
    whole = (twice, b"ba.a", True)
    yield Entry("whole", _core.cookie_values, whole, is_right=is_(three))
    text = '{"a":[1e5,-0.5,123456789012345678901234567890,"\\ud83d\\ude00\\n",null]}'
    yield Entry("json", _core.json_object, (text,), is_right=is_(json.loads(text)))
    sealed = _core.aead_seal("A256GCM", b"k" * 32, b"i" * 12, b"", b"text")
    opening = ("A256GCM", b"k" * 32, b"i" * 12, b"", *sealed)
    yield Entry("aead_open", _core.aead_open, opening, is_right=is_(b"text"))
    secret = _core.SessionSecret(SECRET)
    session = secret.sign_token("aB3" + "x" * 29)
    yield Entry(
        "misfit", _core.session_misfit, ({}, {}, False), is_right=is_("expiresAt")
    )
    yield Entry("session", secret.read_token, (session,), is_right=is_(session[:32]))
    setting = "$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA"
    made = _core.password_hash("pw", setting)
    for word, answer in (("pw", True), ("no", False)):
        verify = (word, made)
        yield Entry("password", _core.password_verify, verify, is_right=is_(answer))
    for stored in OLD_HASHES:
        old = ("right", stored, 1, True)
        label = f"old {stored[:6]}"
        yield Entry(label, _core.password_verify, old, is_right=is_(True))


OLD_HASHES = (
    "$1$salt$I7mUw4uf7gbe.mLJ1fX2S.",
    "sha1$salt$9a67ad4dbd5819a24edad07c68085c5c2c559c49",
    (
        "$fbscrypt$v=1,n=4,r=8,p=1,ss=Bw==,sk=c2lnbmVyIGtleSBzaWduZXIga2V5IHNpZ25lciBrZ"
        "Xk=$c2FsdA==$dqkrHO54rhupzRkPEoQ8u8KQX0IBbpgWogMvX45KRy0="
    ),
)
"""Of the password "right"."""


ERR_LIB_CRYPTO = 15
ERR_R_MALLOC_FAILURE = 0xC0100
"""Of openssl/err.h."""

SILENT = {"crypto_failed", "key_unreadable", "key_point", "signature_wrong"}
ENTRIES = (reading, refused_keys, tokens, others)


def complaint(entry: Entry, result: Any, error: BaseException | None) -> str | None:
    """Return what is wrong with an answer, if anything.

    libcrypto does not always say that it was memory that it lacked: then what
    it could not do is refused. What is refused is never accepted.
    """
    if isinstance(error, MemoryError):
        return None
    reason = getattr(error, "reason", None)
    if reason in SILENT:
        return None
    if error is not None:
        is_known = entry.raises is not None and isinstance(error, entry.raises)
        return None if is_known else f"raises {type(error).__name__}: {error}"
    if entry.raises is not None:
        return f"accepts: {result!r}"
    return None if entry.is_right(result) else f"answers {result!r}"


def places(count: int, *, every: bool) -> list[int]:
    """Return which allocations fail: all, or a few dozens of very many."""
    step = 1 if every or count < 60 else count // 40
    return [*range(1, count + 1, step)]


def try_entry(entry: Entry, mode: str) -> Iterator[str]:
    call = (entry.call, entry.args, entry.named)
    for _ in range(3):
        _, _, count = alloc_call.call(*call, 0, False)
    for on in (False, True):
        for n in places(count, every=mode != "some"):
            print(f"# {entry.name} {n} {on}", file=sys.stderr, flush=True)
            result, error, _ = alloc_call.call(*call, n, on)
            wrong = complaint(entry, result, error)
            del result, error
            result, error, _ = alloc_call.call(*call, 0, False)
            if isinstance(error, MemoryError):
                wrong = "has no memory afterwards"
            wrong = wrong or complaint(entry, result, error)
            if wrong is None and mode == "leaks":
                alloc_call.leak(*call, n, on, 200)
                left = alloc_call.leak(*call, n, on, 100)
                wrong = f"leaves {left / 100:g} a call" if left >= 100 else None
            if wrong is not None:
                yield f"{entry.name}: {'from' if on else 'at'} {n} of {count}: {wrong}"


def try_after_others(entry: Entry, queue: ctypes.CDLL) -> Iterator[str]:
    """Call it while the thread has an error of somebody else's: memory was wanting."""
    queue.ERR_new()
    queue.ERR_set_error(ERR_LIB_CRYPTO, ERR_R_MALLOC_FAILURE, None)
    try:
        result, error = entry.call(*entry.args, **entry.named), None
    except Exception as raised:
        result, error = None, raised
    queue.ERR_clear_error()
    wrong = complaint(entry, result, error)
    if isinstance(error, MemoryError):
        wrong = "believes an error of others"
    if wrong is not None:
        yield f"{entry.name}: {wrong}"


def error_queue() -> ctypes.CDLL:
    """Return the libcrypto that the core uses."""
    maps = Path("/proc/self/maps").read_text()
    path = re.search(r"/\S*libcrypto\S*", maps)
    if path is None:
        sys.exit("libcrypto is inside the module")
    return ctypes.CDLL(path[0])


def main(mode: str = "some") -> None:
    if mode == "others":
        queue = error_queue()
        for entries in ENTRIES:
            for entry in entries():
                for line in try_after_others(entry, queue):
                    print(line, flush=True)
        return
    for entries in ENTRIES:
        for entry in [*entries()]:  # all are made while there is memory
            for line in try_entry(entry, mode):
                print(line, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
