"""Keys that name no algorithm, and algorithms that have two names."""

from __future__ import annotations

import copy
import itertools
import json
from functools import cache
from typing import Any

import jwt
import pytest

from fastbearer import (
    ConfigurationError,
    InvalidAlgorithmError,
    InvalidKeyError,
    InvalidSignatureError,
    Key,
    KeySet,
    Signer,
    UnknownKeyError,
    Verifier,
    jws,
)
from handmade_tokens import b64
from project import SECRET

RSA = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]
ALL = [*RSA, "ES256", "ES384", "ES512", "ES256K", "EdDSA", "Ed25519", "Ed448"]
NAMES = {"Ed25519": ("EdDSA", "Ed25519"), "Ed448": ("EdDSA", "Ed448")}


@cache
def private() -> Key:
    return Key.generate("RS256", kid="rsa")


@cache
def entry(**changes: Any) -> dict[str, Any]:
    """Return the key as Keycloak's older servers, Okta or Entra publish it."""
    jwk = {**private().to_jwk(), "use": "sig", **changes}
    return {name: value for name, value in jwk.items() if value is not None}


def signing(algorithm: str) -> Signer:
    return Signer(Key.from_pem(private().to_pem(private=True), algorithm, kid="rsa"))


def without_alg(*keys: Key) -> KeySet:
    entries = [key.to_jwk() for key in keys]
    return KeySet.from_jwks(
        {"keys": [{**one, "alg": None} for one in entries]}, lenient=True
    )


@cache
def open_set() -> KeySet:
    return KeySet.from_jwks({"keys": [entry(alg=None)]})


def with_header(token: str, **members: Any) -> str:
    _, payload, signature = token.split(".")
    return f"{b64(json.dumps(members).encode())}.{payload}.{signature}"


@pytest.mark.parametrize("algorithm", RSA)
def test_a_key_without_alg_serves_its_family(algorithm: str) -> None:
    token = signing(algorithm).sign({"sub": "1"})
    verifier = Verifier(open_set(), require=())
    assert verifier.verify(token) == {"sub": "1"}
    assert jws.verify(token, open_set()) == b'{"sub":"1"}'
    assert jwt.get_unverified_header(token)["alg"] == algorithm


@pytest.mark.parametrize("algorithm", RSA)
def test_tokens_of_another_implementation_verify(algorithm: str) -> None:
    pem = private().to_pem(private=True)
    token = jwt.encode({"sub": "1"}, pem, algorithm, headers={"kid": "rsa"})
    assert Verifier(open_set(), require=()).verify(token) == {"sub": "1"}


@pytest.mark.parametrize("algorithm", RSA)
def test_a_key_with_alg_serves_that_alone(algorithm: str) -> None:
    verifier = Verifier(KeySet.from_jwks({"keys": [entry(alg=algorithm)]}), require=())
    for other in RSA:
        token = signing(other).sign({"sub": "1"})
        if other == algorithm:
            assert verifier.verify(token)
        else:
            with pytest.raises(InvalidAlgorithmError):
                verifier.verify(token)


def test_a_single_key_has_one_algorithm() -> None:
    """`Key.from_jwk` without alg is RS256, as it ever was."""
    key = Key.from_jwk(entry(alg=None))
    assert (key.algorithm, key.algorithms) == ("RS256", ("RS256",))
    for source in (key, KeySet([key])):
        with pytest.raises(InvalidAlgorithmError):
            Verifier(source, require=()).verify(signing("RS512").sign({}))


def test_a_key_says_what_it_serves() -> None:
    assert open_set()["rsa"].algorithm == "RS256"
    assert open_set()["rsa"].algorithms == tuple(RSA)
    assert Key.generate("HS256").algorithms == ("HS256",)
    assert Key.generate("ES256K").algorithms == ("ES256K",)
    assert Key.generate("EdDSA").algorithms == ("EdDSA", "Ed25519")
    assert Key.generate("Ed25519").algorithms == ("Ed25519", "EdDSA")
    assert Key.generate("Ed448").algorithms == ("Ed448", "EdDSA")


def test_a_published_key_stays_as_open_as_it_was() -> None:
    assert "alg" not in open_set()["rsa"].to_jwk()
    again = KeySet.from_jwks({"keys": [key.to_jwk() for key in open_set()]})
    assert again["rsa"].algorithms == tuple(RSA)
    opened = {**private().to_jwk(private=True), "alg": None}
    keys = KeySet.from_jwks({"keys": [opened]}, private=True, lenient=True)
    assert keys["rsa"].public().algorithms == tuple(RSA)
    assert jwt.get_unverified_header(Signer(keys["rsa"]).sign({}))["alg"] == "RS256"


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "ES512", "ES256K"])
def test_a_curve_has_its_one_algorithm(algorithm: str) -> None:
    key = Key.generate(algorithm)
    keys = without_alg(key)
    token = Signer(key).sign({"sub": "1"})
    assert next(iter(keys)).algorithms == (algorithm,)
    assert Verifier(keys, require=()).verify(token) == {"sub": "1"}


# --- no algorithm is confused with another ---------------------------------------


@pytest.mark.parametrize("signed", RSA)
def test_a_signature_counts_under_its_own_name_only(signed: str) -> None:
    """Each pair of names of the family, and each foreign one."""
    token = signing(signed).sign({"sub": "1"})
    verifier = Verifier(open_set(), require=())
    for other in [*ALL, "HS256", "HS384", "HS512", "none", "rs256", ""]:
        if other == signed:
            continue
        wrong = InvalidSignatureError if other in RSA else InvalidAlgorithmError
        with pytest.raises(wrong):
            verifier.verify(with_header(token, alg=other, kid="rsa"))


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_a_public_key_without_alg_is_never_a_secret(algorithm: str) -> None:
    """The classic confusion: an HMAC with the public key's text (RFC 8725 2.1)."""
    texts = [private().public().to_pem(), json.dumps(entry(alg=None))]
    verifier = Verifier(open_set(), require=())
    for text in texts:
        forged = jwt.api_jws.PyJWS().get_algorithm_by_name(algorithm)
        signing_input = f"{b64(json.dumps({'alg': algorithm}).encode())}.{b64(b'{}')}"
        mac = forged.sign(signing_input.encode(), text.encode())
        with pytest.raises(InvalidAlgorithmError):
            verifier.verify(f"{signing_input}.{b64(mac)}")


def test_a_secret_without_alg_stays_hs256() -> None:
    jwk = {**Key.generate("HS512").to_jwk(private=True), "alg": None}
    keys = KeySet.from_jwks({"keys": [jwk]}, private=True, lenient=True)
    assert next(iter(keys)).algorithms == ("HS256",)


def test_a_kid_still_chooses_the_key() -> None:
    other = Key.generate("RS256", kid="other")
    keys = KeySet.from_jwks(
        {"keys": [entry(alg=None), {**other.to_jwk(), "kid": "other"}]}
    )
    token = signing("PS256").sign({"sub": "1"}, headers={"typ": "JWT"})
    assert Verifier(keys, require=()).verify(token)
    with pytest.raises(UnknownKeyError):
        Verifier(keys, require=()).verify(with_header(token, alg="PS256", kid="third"))
    with pytest.raises(InvalidAlgorithmError):  # the other's entry says RS256
        Verifier(KeySet([keys["other"]])).verify(with_header(token, alg="PS256"))


# --- narrowing -------------------------------------------------------------------


@pytest.mark.parametrize("allowed", [["PS256"], ["RS512", "PS384"], RSA, "RS256"])
def test_algorithms_narrow_the_family(allowed: Any) -> None:
    verifier = Verifier(open_set(), require=(), algorithms=allowed)
    names = [allowed] if isinstance(allowed, str) else allowed
    for algorithm in RSA:
        token = signing(algorithm).sign({"sub": "1"})
        if algorithm in names:
            assert verifier.verify(token) == {"sub": "1"}
        else:
            with pytest.raises(InvalidAlgorithmError) as caught:
                verifier.verify(token)
            assert caught.value.reason == "alg_not_allowed"


def test_algorithms_never_widen() -> None:
    """A name that no key serves serves nobody: no key is read another way."""
    key = Key.from_secret(SECRET)
    token = Signer(key).sign({"sub": "1"})
    for allowed in (["RS256"], [*ALL]):
        with pytest.raises(InvalidAlgorithmError):
            Verifier(key, require=(), algorithms=allowed).verify(token)
    verifier = Verifier(open_set(), require=(), algorithms=["HS256", "ES256"])
    for algorithm in RSA:
        with pytest.raises(InvalidAlgorithmError):
            verifier.verify(signing(algorithm).sign({}))
    narrow = Verifier(entry_key("RS256"), require=(), algorithms=["RS512"])
    with pytest.raises(InvalidAlgorithmError):
        narrow.verify(signing("RS512").sign({}))


def entry_key(algorithm: str) -> Key:
    return Key.from_jwk(entry(alg=algorithm))


def test_a_cached_token_is_narrowed_too() -> None:
    verifier = Verifier(open_set(), require=(), algorithms=["PS256"], cache=10)
    good, bad = signing("PS256").sign({}), signing("RS256").sign({})
    for _ in range(3):
        assert verifier.verify(good) == {}
        with pytest.raises(InvalidAlgorithmError):
            verifier.verify(bad)


@pytest.mark.parametrize(
    "wrong", ["hs256", "none", ["RS256", "RS1"], [""], "RSA", ["RS256\0"], ["\u20ac"]]
)
def test_an_algorithm_that_there_is_not_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="no signature algorithm"):
        Verifier(open_set(), algorithms=wrong)


@pytest.mark.parametrize("wrong", [5, [5], [None], [b"RS256"], True])
def test_algorithms_of_another_type_are_a_type_error(wrong: Any) -> None:
    with pytest.raises(TypeError):
        Verifier(open_set(), algorithms=wrong)
    with pytest.raises(ConfigurationError):
        Verifier(open_set(), algorithms=[])


# --- RFC 9864 --------------------------------------------------------------------

SPELLINGS = [
    (curve, key_name, token_name)
    for curve, names in NAMES.items()
    for key_name, token_name in itertools.product([*names, None], names)
]


@pytest.mark.parametrize(("curve", "key_name", "token_name"), SPELLINGS)
def test_an_edwards_key_has_two_names(
    curve: str, key_name: str | None, token_name: str
) -> None:
    key = Key.generate(curve, kid="1")
    jwk = {**key.to_jwk(), "alg": key_name}
    signer = Signer(Key.from_pem(key.to_pem(private=True), token_name, kid="1"))
    token = signer.sign({"sub": "1"})
    assert jwt.get_unverified_header(token)["alg"] == token_name
    read = Key.from_jwk(jwk, lenient=True)
    assert set(read.algorithms) == set(NAMES[curve])
    for source in (read, KeySet.from_jwks({"keys": [jwk]}, lenient=True)):
        for allowed in (None, *NAMES[curve]):
            verifier = Verifier(source, require=(), algorithms=allowed)
            assert verifier.verify(token) == {"sub": "1"}
        assert jws.verify(token, source)
    pem = Key.from_pem(key.public().to_pem(), key_name)
    assert Verifier(pem, require=()).verify(token) == {"sub": "1"}


@pytest.mark.parametrize(
    ("asked", "says"), list(itertools.product(["EdDSA", "Ed25519"], repeat=2))
)
def test_a_jwk_may_be_asked_for_under_either_name(asked: str, says: str) -> None:
    jwk = {**Key.generate("EdDSA").to_jwk(), "alg": says}
    assert Key.from_jwk(jwk, asked).algorithm == asked


def test_the_two_curves_are_not_confused() -> None:
    small, large = Key.generate("Ed25519"), Key.generate("Ed448")
    token = Signer(small).sign({"sub": "1"})
    with pytest.raises(InvalidAlgorithmError):
        Verifier(small).verify(with_header(token, alg="Ed448"))
    with pytest.raises(InvalidAlgorithmError):
        Verifier(large).verify(token)
    with pytest.raises(InvalidSignatureError):
        Verifier(large).verify(with_header(token, alg="EdDSA"))
    for jwk, name in ((small.to_jwk(), "Ed448"), (large.to_jwk(), "Ed25519")):
        with pytest.raises(InvalidKeyError):
            Key.from_jwk({**jwk, "alg": name})
        with pytest.raises(InvalidKeyError):
            Key.from_jwk(jwk, name)


def test_narrowed_to_one_curve_the_other_is_left_out_under_both_names() -> None:
    """EdDSA names either: the curve decides."""
    small, large = Key.generate("Ed25519"), Key.generate("Ed448")
    keys = KeySet([small, large])
    other = Key.from_pem(large.to_pem(private=True), "EdDSA")
    verifier = Verifier(keys, require=(), algorithms=["Ed25519"])
    assert verifier.verify(Signer(small).sign({"sub": "1"}))
    assert (
        verifier.verify(Signer(Key.from_pem(small.to_pem(private=True))).sign({})) == {}
    )
    with pytest.raises(InvalidAlgorithmError):
        verifier.verify(Signer(large).sign({}))
    with pytest.raises(InvalidSignatureError):
        verifier.verify(Signer(other).sign({}))
    both = Verifier(keys, require=(), algorithms="EdDSA")
    for key in (small, large, other):
        assert both.verify(Signer(key).sign({"sub": "1"}))


def test_what_signs_names_the_algorithm_of_its_key() -> None:
    key = Key.generate("EdDSA")
    with pytest.raises(ValueError, match="not the key's algorithm"):
        Signer(key).sign({}, headers={"alg": "Ed25519"})
    assert copy.copy(key.algorithms) == ("EdDSA", "Ed25519")
