"""Calls of every entry point of the core, each with what its answer must be."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from queue import SimpleQueue
from typing import Any

import core_entries
import fastbearer
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
    PasswordHash,
    PasswordTooLongError,
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

    @property
    def of(self) -> str:
        """The entry point that is called, as `core_entries` names it."""
        if isinstance(self.call, partial):  # of a property
            owner, member = self.call.args
            return f"{type(owner).__name__}.{member}"
        is_jws = self.call in (jws.sign, jws.verify)
        return f"jws.{self.call.__name__}" if is_jws else self.call.__qualname__


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
    first = sign_first(KEYS["HS256"])
    yield Entry("sign at first", sign_first, (KEYS["HS256"],), is_right=is_(first))
    yield from learned_tokens(claims)
    yield from refused_tokens()


def sign_first(key: Key) -> str:
    """Sign with a signer that has not met these names."""
    return Signer(key).sign({"first": 1, "second": {"third": [{"fourth": 2}]}})


sign_first.__qualname__ = Signer.sign.__qualname__


def learned_tokens(claims: dict[str, Any]) -> Iterator[Entry]:
    """Yield what a verifier learns from, and what it reads by what it has learned."""
    key = KEYS["HS256"]
    deep = Signer(key).sign({**claims, "o": [{"p": {"q": 1}}, {"p": {"q": 2}}]})
    near = Signer(key).sign({**claims, "other": [{"p": {"q": 1}}]})
    good = Verifier(key, clock=clock, audience="a", require=()).verify(deep)

    def learn(token: str) -> Any:
        verifier = Verifier(key, clock=clock, audience="a", require=())
        for _ in range(4):
            verifier.verify(token)
            verifier.verify(near)
        return verifier.verify(token)

    learn.__qualname__ = "Verifier.verify"
    yield Entry("learn", learn, (deep,), is_right=is_(good))


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
    is_read = is_(json.loads(text))
    yield Entry("json of secrets", _core.json_secrets, (text, []), is_right=is_read)
    yield Entry("json to wipe", _core.json_wipe, ([{}, "text"],), is_right=is_(None))
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


# --- what is called seldom --------------------


def told_by_keys() -> Iterator[Entry]:
    """Yield what keys, verifiers, signers and secrets tell of themselves."""
    secret = _core.SessionSecret(SECRET)
    key = KEYS["EdDSA"]
    for one in (key, Verifier(key), Signer(key), secret):
        yield Entry("copy", one.__copy__, is_right=lambda twin, one=one: twin is one)
        yield Entry("deep copy", one.__deepcopy__, ({},))
    answers = {
        "algorithm": "EdDSA",
        "algorithms": ("EdDSA", "Ed25519"),
        "kid": None,
        "is_private": True,
    }
    for member, answer in answers.items():
        yield Entry(member, partial(getattr, key, member), is_right=is_(answer))
    yield Entry("no public half", KEYS["HS256"].public, raises=InvalidKeyError)
    yield Entry("no PEM", KEYS["HS256"].to_pem, raises=InvalidKeyError)
    pem = KEYS["ES256"].to_pem(private=True)
    der = base64.b64decode("".join(pem.splitlines()[1:-1]))
    yield Entry("from_der", Key.from_der, (der,), is_right=is_key(KEYS["ES256"]))
    yield Entry("from_der of none", Key.from_der, (b"0",), raises=InvalidKeyError)


def sessions() -> Iterator[Entry]:
    """Yield what reads and writes a Better Auth server's cookies."""
    secret = _core.SessionSecret(SECRET)
    token = "aB3" + "x" * 29
    signed = secret.sign_token(token)
    body = b'{"x":1,"expiresAt":1700000000000}'
    mac = b64(_core.raw_sign(body, Key.from_secret(SECRET)))
    text = '{"session":{"x":1},"expiresAt":1700000000000,"signature":"%s"}'
    compact, other = (b64((text % one).encode()) for one in (mac, "A" * 43))
    sealed = secret.seal(b'{"a":[1,2.5]}')
    wrong = InvalidSignatureError
    read = ({"x": 1}, 1_700_000_000_000)
    yield Entry("SessionSecret", _core.SessionSecret, (SECRET,))
    yield Entry("is_token", secret.is_token, (token,), is_right=is_(True))
    yield Entry("sign_token", secret.sign_token, (token,), is_right=is_(signed))
    yield Entry("no token", secret.sign_token, ("x",), raises=ValueError)
    bad = signed[:-3] + "AA="
    yield Entry("read_token bad", secret.read_token, (bad,), raises=wrong)
    yield Entry("compact", secret.read_compact, (compact,), is_right=is_(read))
    yield Entry("compact bad", secret.read_compact, (other,), raises=wrong)
    yield Entry("sealed with", secret.is_sealed_with, (sealed,), is_right=is_(True))
    yield Entry("open", secret.open, (sealed,), is_right=is_({"a": [1, 2.5]}))
    yield Entry("open bad", secret.open, (sealed[:-3] + "AAA",), raises=wrong)
    yield Entry("seal", secret.seal, (b"x" * 3000,))


def encryption() -> Iterator[Entry]:
    """Yield content encryption, key wrapping, and bare signatures."""
    for name in ("A256GCM", "A128CBC-HS256"):
        sizes = _core.aead_sizes(name)
        parts = (name, *(b"k" * size for size in sizes), b"aad", b"text")
        made = _core.aead_seal(*parts)
        yield Entry("aead_sizes", _core.aead_sizes, (name,), is_right=is_(sizes))
        yield Entry(f"seal {name}", _core.aead_seal, parts, is_right=is_(made))
        opening, other = (*parts[:4], *made), (*parts[:3], b"aae", *made)
        yield Entry(f"open {name}", _core.aead_open, opening, is_right=is_(b"text"))
        yield Entry("altered", _core.aead_open, other, raises=InvalidSignatureError)
    kek, key = b"k" * 16, b"x" * 32
    wrapped = _core.aes_wrap(kek, key)
    yield Entry("wrap", _core.aes_wrap, (kek, key), is_right=is_(wrapped))
    yield Entry("unwrap", _core.aes_unwrap, (kek, wrapped), is_right=is_(key))
    other_one = (kek, wrapped[:-1] + b"\0")
    yield Entry("altered", _core.aes_unwrap, other_one, raises=InvalidSignatureError)
    rsa = KEYS["RS256"]
    sealed = _core.rsa_oaep_seal(rsa, True, key)
    yield Entry("oaep seal", _core.rsa_oaep_seal, (rsa, True, key))
    args = (rsa, True, sealed)
    yield Entry("oaep open", _core.rsa_oaep_open, args, is_right=is_(key))
    for name, one in KEYS.items():
        made_of = _core.raw_sign(b"m", one)
        right, bad = (b"m", made_of, one), (b"n", made_of, one)
        yield Entry(f"raw sign {name}", _core.raw_sign, (b"m", one))
        yield Entry(f"raw {name}", _core.raw_verify, right, is_right=is_(True))
        yield Entry(f"raw {name} bad", _core.raw_verify, bad, is_right=is_(False))
        yield Entry(f"jws {name}", _core.jws_sign, (b"x" * 50, one, {"q": 1}))
        text = jws.sign(b"hello", one)
        args = (text, one)
        yield Entry(f"core {name}", _core.jws_verify, args, is_right=is_(b"hello"))
        yield Entry(f"jws.sign {name}", jws.sign, (b"hello", one))


def texts() -> Iterator[Entry]:
    """Yield what reads texts that nobody has signed."""
    malformed = MalformedTokenError
    yield Entry("base64url", _core.base64url_bytes, ("AAEC",), is_right=is_(b"\0\1\2"))
    yield Entry("no base64url", _core.base64url_bytes, ("A",), raises=malformed)
    yield Entry("no json", _core.json_object, ('{"a":1,"a":1}',), raises=malformed)
    yield from long_reals()
    for issuer in ("i", "\u00e9" * 3000):
        token = "e30." + b64(json.dumps({"iss": issuer}).encode()) + ".e30"
        args = (token, 10**6)
        yield Entry("issuer", _core.unverified_issuer, args, is_right=is_(issuer))


def halfway(exponent: int) -> str:
    """Return the real between 2**exponent and the next double, nearer to neither.

    It is read as the former, which is even, and no other takes so much memory.
    """
    unit = max(exponent - 52, -1074)
    return f"{(2 ** (exponent - unit + 1) + 1) * 5 ** (1 - unit)}e{unit - 1}"


def long_reals() -> Iterator[Entry]:
    """Yield numbers for which CPython takes memory, which it keeps: see `fresh`."""
    exponents = (-1073, -1022, -1000, -830, -660, -330, -60, -10)
    texts = [halfway(exponent) for exponent in exponents]
    text = f'{{"nbf":{texts[0]},"zz":[{",".join(texts[1:])}]}}'
    first, *rest = [2.0**exponent for exponent in exponents]
    right = is_({"nbf": first, "zz": rest})
    yield Entry("real numbers", _core.json_object, (text,), is_right=right)
    token = jws.sign(text.encode(), KEYS["HS256"])
    verify = Verifier(KEYS["HS256"], require=()).verify
    yield Entry("real claims", verify, (token,), is_right=right)


CHEAP: dict[str, Any] = {"time_cost": 1, "memory_cost": 8, "parallelism": 1}
SETTINGS = (
    *("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ", "$2b$04$" + "." * 22),
    *(
        "$scrypt$ln=4,r=8,p=1$c2FsdA$",
        "$pbkdf2-sha256$9$c2FsdA$",
        "scrypt$16$salt$8$1$",
    ),
    *("bcrypt_sha256$$2b$04$" + "." * 22, "pbkdf2:sha512:9$salt$"),
    *("argon2$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ", "0" * 32 + ":" + "0" * 128),
)


def passwords() -> Iterator[Entry]:
    """Yield what hashes passwords, and tells of hashes."""
    for setting in SETTINGS:
        args = ("pa\u00e9", setting, 1)
        made = _core.password_hash(*args)
        label = setting[:12]
        yield Entry(f"hash {label}", _core.password_hash, args, is_right=is_(made))
        for word, answer in (("pa\u00e9", True), ("no", False)):
            args = (word, made, 1)
            yield Entry(label, _core.password_verify, args, is_right=is_(answer))
        scheme, parts = _core.password_scheme(made), _core.password_parts(made)
        yield Entry("scheme", _core.password_scheme, (made,), is_right=is_(scheme))
        yield Entry("parts", _core.password_parts, (made,), is_right=is_(parts))
        sole = ("pa\u00e9", made)
        answer = _core.password_is_sole(*sole)
        yield Entry("sole", _core.password_is_sole, sole, is_right=is_(answer))
    yield from put_in_form()
    costs = {"rounds": 1, "memory_cost": 8}
    yield Entry("setting", _core.password_setting, ("argon2id", b"s" * 16), costs)
    yield Entry("rest", _core.password_rest, (2**70,))
    slots: SimpleQueue[None] = SimpleQueue()
    slots.put(None)
    inside: set[int] = set()

    def is_given_back(answer: int) -> bool:
        return (answer, slots.qsize(), inside) == (1, 1, set())

    slot = (slots, inside, len, ("x",))
    yield Entry("slot", _core.in_slot, slot, is_right=is_given_back)
    hasher = PasswordHash(**CHEAP)
    stored = hasher.hash("pw")
    yield Entry("PasswordHash", PasswordHash, (), CHEAP)
    yield Entry("profile", PasswordHash.from_profile, ("owasp-7mib",))
    yield Entry("recommended", PasswordHash.recommended)
    yield Entry("decoy", hasher.decoy)
    right = lambda made: hasher.verify("pw", made)  # noqa: E731
    yield Entry("PasswordHash.hash", hasher.hash, ("pw",), is_right=right)
    for word, answer in (("pw", True), ("no", False)):
        args = (word, stored)
        verify, update = hasher.verify, hasher.verify_and_update
        yield Entry("PasswordHash.verify", verify, args, is_right=is_(answer))
        yield Entry("update", update, args, is_right=is_((answer, None)))
        plain = fastbearer.verify_password
        yield Entry("verify_password", plain, args, is_right=is_(answer))
    yield Entry("identify", hasher.identify, (stored,), is_right=is_("argon2id"))
    yield Entry("rehash", hasher.needs_rehash, (stored,), is_right=is_(False))
    long = ("x" * 4097,)
    hash_one = fastbearer.hash_password
    yield Entry("hash_password", hash_one, long, raises=PasswordTooLongError)


def put_in_form() -> Iterator[Entry]:
    """Yield bytes that a format puts in Unicode's form NFKC first, if they are text."""
    salt = SETTINGS[-1]
    for word, sole in (("\ufb01n\u00f6".encode(), False), (b"\xff\xfe", True)):
        made = _core.password_hash(word, salt, 1)
        args, both = (word, salt, 1), (word, made)
        label = f"form {word!r}"
        yield Entry(label, _core.password_hash, args, is_right=is_(made))
        yield Entry(label, _core.password_verify, both, is_right=is_(True))
        yield Entry(label, _core.password_is_sole, both, is_right=is_(sole))


def sets() -> Iterator[Entry]:
    """Yield what makes sets of keys: one that lacks the memory lacks no key."""
    keys = [*KEYS.values()]
    good = [KEYS[name].public().to_jwk() for name in ("ES256", "RS256", "EdDSA")]
    bad = {**good[0], "use": "enc"}
    text = json.dumps({"keys": [bad, *good]})

    def has_all(made: KeySet) -> bool:
        told = [one.reason for one in made.skipped]
        return [key.to_jwk() for key in made] == good and told == ["key_use"]

    yield Entry("KeySet", KeySet, (keys,), is_right=lambda made: [*made] == keys)
    yield Entry("empty", KeySet, ([],), raises=ValueError)
    read = KeySet.from_jwks
    yield Entry("from_jwks", read, (text,), is_right=has_all)
    yield Entry("no keys", read, ({"keys": [bad]},), raises=InvalidKeyError)
    made = KeySet.from_jwks(text)
    told = partial(getattr, made, "skipped")
    yield Entry("skipped", told, is_right=lambda told: len(told) == 1)


ENTRIES = (
    *(reading, refused_keys, tokens, others, told_by_keys, sessions, encryption),
    *(texts, passwords, sets),
)


def forgotten(called: set[str]) -> list[str]:
    """Return the entry points that none of those calls is of."""
    wanted = {*core_entries.entry_points()} - core_entries.NEVER_CALLED
    return sorted(wanted - called)
