"""Keys in the layouts and with the liberties that the originals allow."""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import jwt as their_jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as forms
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from jose import jwt as their_jose

from compat_kit import outcome
from fastbearer import Key
from fastbearer.compat import jwt as our_jwt
from fastbearer.compat._shared import key_objects
from fastbearer.compat._shared.memo import SIZE, TextMemo
from fastbearer.compat.jose import jwk as our_jwk
from fastbearer.compat.jose import jwt as our_jose
from fastbearer.compat.jwt import api_jwt, utils
from fastbearer.compat.jwt.algorithms import RSAAlgorithm

PAIRS = [(our_jwt, their_jwt), (our_jose, their_jose)]
KEYS = {name: Key.generate(name) for name in ("RS256", "ES256", "EdDSA")}

Layout = Callable[[str], str]
LAYOUTS: dict[str, Layout] = {
    "as it is": lambda pem: pem,
    "CRLF": lambda pem: pem.replace("\n", "\r\n"),
    "CR": lambda pem: pem.replace("\n", "\r"),
    "one line": lambda pem: pem.replace("\n", " "),
    "no line ends": lambda pem: pem.replace("\n", ""),
    "indented": lambda pem: pem.replace("\n", "\n    "),
    "a space before": lambda pem: " " + pem,
    "text before": lambda pem: f"Bag Attributes\n  friendlyName: x\n{pem}",
    "text behind": lambda pem: f"{pem}\nand so on\n",
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_layouts_of_pem(layout: str, algorithm: str) -> None:
    key, change = KEYS[algorithm], LAYOUTS[layout]
    private, public = change(key.to_pem(private=True)), change(key.to_pem())
    for ours, theirs in PAIRS:
        token = ours.encode({"a": 1}, private, algorithm)
        for verifier in (public, public.encode()):
            assert ours.decode(token, verifier, [algorithm]) == {"a": 1}
        assert theirs.decode(token, key.to_pem(), [algorithm]) == {"a": 1}


def certificate(key: Any) -> str:
    from datetime import UTC, datetime, timedelta

    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(forms.Encoding.PEM).decode()


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_several_in_one_text(algorithm: str) -> None:
    key = KEYS[algorithm]
    private, public = key.to_pem(private=True), key.to_pem()
    loaded: Any = forms.load_pem_private_key(private.encode(), None)
    cert = certificate(loaded)
    for text in (private + cert, cert + private, public + private):
        token = our_jwt.encode({"a": 1}, text, algorithm)
        assert their_jwt.decode(token, public, [algorithm]) == {"a": 1}
    bag = f"Bag Attributes\n    localKeyID: 01\n{private}Bag Attributes\n{cert}"
    for ours, theirs in PAIRS:
        token = ours.encode({"a": 1}, bag, algorithm)
        assert theirs.decode(token, public, [algorithm]) == {"a": 1}
    # python-jose verifies with a certificate (of RSA), PyJWT does not.
    assert our_jose.decode(token, cert, [algorithm]) == {"a": 1}
    if algorithm == "RS256":
        assert their_jose.decode(token, cert, [algorithm]) == {"a": 1}


def liberties(jwk: dict[str, str]) -> list[dict[str, Any]]:
    n = base64.urlsafe_b64decode(jwk["n"] + "==")

    def text(number: bytes) -> str:
        return base64.urlsafe_b64encode(number).rstrip(b"=").decode()

    return [
        {**jwk, "e": "AQAB=" if len("AQAB") % 4 else "AQAB"},
        {**jwk, "n": text(b"\0" + n)},
        {**jwk, "e": text(b"\0\1\0\1")},
        {**jwk, "n": jwk["n"] + "=" * (-len(jwk["n"]) % 4)},
        {**jwk, "n": jwk["n"].replace("-", "+").replace("_", "/")},
        {**jwk, "p": "AQAB"},
        {**jwk, "use": "enc", "key_ops": ["wrapKey"], "x5c": ["not looked at"]},
    ]


@pytest.mark.parametrize("number", range(7))
def test_liberties_of_jwks(number: int) -> None:
    key = KEYS["RS256"]
    jwk = liberties(key.to_jwk())[number]
    token = their_jwt.encode({"a": 1}, key.to_pem(private=True), "RS256")
    found = our_jwt.PyJWKSet.from_dict({"keys": [{**jwk, "kid": "k", "alg": "RS256"}]})
    assert our_jwt.decode(token, found["k"]) == {"a": 1}
    assert our_jose.decode(token, jwk, ["RS256"]) == {"a": 1}


def test_a_jwk_that_comes_again_is_not_read_again() -> None:
    for key in KEYS.values():
        jwk = key.to_jwk()
        first, again = (our_jwt.PyJWK(dict(jwk)).key for _ in range(2))
        assert first is again
        private = key.to_jwk(private=True)
        assert our_jwt.PyJWK(dict(private)).key is our_jwt.PyJWK(private).key
        assert our_jwt.PyJWK(private).key is not first
    other = {**KEYS["RS256"].to_jwk(), "n": Key.generate("RS256").to_jwk()["n"]}
    assert our_jwt.PyJWK(other).key is not our_jwt.PyJWK(KEYS["RS256"].to_jwk()).key


def test_a_key_object_of_a_jwk_is_known_to_the_core() -> None:
    key: Any = our_jwt.PyJWK(Key.generate("ES256").to_jwk()).key
    core = key_objects.core_of(key, None)
    assert key_objects.object_of(core) is key
    assert key_objects.core_of(key_objects.object_of(core), None) is core


def test_the_oldest_goes_first() -> None:
    made: list[str] = []
    parsed = TextMemo(lambda text: made.append(text) or text)
    for number in range(SIZE + 1):
        parsed(str(number))
    parsed(str(SIZE))
    parsed("1")
    assert len(made) == SIZE + 1
    parsed("0")
    assert made[-1] == "0"


class TestSeveralKinds:
    """python-jose tries every key; one of another kind is passed over."""

    @pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
    def test_a_list(self, algorithm: str) -> None:
        pems = [KEYS[name].to_pem() for name in ("RS256", "ES256")]
        private = KEYS[algorithm].to_pem(private=True)
        token = their_jose.encode({"a": 1}, private, algorithm)
        every: list[Any] = [pems, pems[::-1], dict(enumerate(pems))]
        for keys in every:
            for allowed in ([algorithm], ["RS256", "ES256"]):
                assert their_jose.decode(token, keys, allowed) == {"a": 1}
                assert our_jose.decode(token, keys, allowed) == {"a": 1}

    def test_the_wrong_one_alone(self) -> None:
        private = KEYS["ES256"].to_pem(private=True)
        token = their_jose.encode({"a": 1}, private, "ES256")
        for algorithms in (["RS256", "ES256"], ["ES256"], None):
            arguments: Any = (token, KEYS["RS256"].to_pem(), algorithms)
            mine = outcome(lambda a=arguments: our_jose.decode(*a))  # type: ignore[misc]
            original = outcome(lambda a=arguments: their_jose.decode(*a))  # type: ignore[misc]
            assert mine == original == ("JWTError", "Signature verification failed.")


def test_bytes_are_no_audience_for_python_jose() -> None:
    secret = "s" * 32
    token = their_jose.encode({"aud": "a"}, secret)
    for algorithms in (["HS256"], ["HS256", "HS384"]):
        arguments: Any = (token, secret, algorithms, None, b"a")
        mine = outcome(lambda a=arguments: our_jose.decode(*a))  # type: ignore[misc]
        assert mine == outcome(lambda a=arguments: their_jose.decode(*a))  # type: ignore[misc]
        assert mine[0] == "JWTError"


# --- keys of other hardware ----------------------------------------------------------


def sealed(cls: type, loaded: Any) -> Any:
    """Return a key object that signs, and shows nothing: as of an HSM."""

    def refuse(self: Any, *_: Any) -> Any:
        raise NotImplementedError

    methods: dict[str, Any] = dict.fromkeys(cls.__abstractmethods__, refuse)  # type: ignore[attr-defined]
    methods["sign"] = lambda self, *rest: loaded.sign(*rest)
    methods["public_key"] = lambda self: loaded.public_key()
    for name in ("key_size", "curve"):
        if hasattr(loaded, name):
            methods[name] = property(lambda self, name=name: getattr(loaded, name))
    return type("Sealed", (cls,), methods)()


@pytest.mark.parametrize("algorithm", ["RS256", "PS384", "ES256"])
def test_keys_that_show_nothing(algorithm: str) -> None:
    key = KEYS["ES256" if algorithm == "ES256" else "RS256"]
    loaded = forms.load_pem_private_key(key.to_pem(private=True).encode(), None)
    cls = ec.EllipticCurvePrivateKey if algorithm == "ES256" else rsa.RSAPrivateKey
    hardware = sealed(cls, loaded)
    token = our_jwt.encode({"a": 1}, hardware, algorithm)
    for jwt in (our_jwt, their_jwt):
        assert jwt.decode(token, key.to_pem(), [algorithm]) == {"a": 1}


def test_the_hashes_are_the_packages() -> None:
    """For subclasses that sign with key objects themselves."""
    assert RSAAlgorithm.SHA256 is hashes.SHA256
    key: Any = forms.load_pem_private_key(
        KEYS["RS256"].to_pem(private=True).encode(), None
    )

    class Own(RSAAlgorithm):
        def sign(self, msg: bytes, key: Any) -> bytes:
            return bytes(key.sign(msg, padding.PKCS1v15(), self.hash_alg()))

    jws = our_jwt.PyJWS(algorithms=[])
    jws.register_algorithm("RS256", Own(Own.SHA256))
    text = jws.encode(b"x", key, "RS256")
    assert jws.decode(text, key.public_key(), ["RS256"]) == b"x"


def test_names_that_projects_import() -> None:
    from fastbearer.compat.jwt import algorithms

    assert algorithms.RSAPublicKey is rsa.RSAPublicKey
    assert api_jwt.MissingRequiredClaimError is our_jwt.MissingRequiredClaimError
    with pytest.raises(AttributeError):
        _ = api_jwt.nothing  # type: ignore[attr-defined]
    signature = bytes(range(1, 65))
    der = utils.raw_to_der_signature(signature, ec.SECP256R1())
    assert utils.der_to_raw_signature(der, ec.SECP256R1()) == signature
    assert der == their_jwt.utils.raw_to_der_signature(signature, ec.SECP256R1())
    with pytest.raises(ValueError, match="signature"):
        utils.raw_to_der_signature(signature[1:], ec.SECP256R1())


def test_jose_takes_a_key_object_after_a_wrong_one() -> None:
    with pytest.raises(our_jose.JWTError):
        our_jose.decode("a.b.c", [KEYS["RS256"].to_pem()], ["ES256"])
    assert our_jwk.construct(KEYS["ES256"].to_pem(), "ES256").is_public()


def test_importing_algorithms_is_light() -> None:
    code = "import sys, fastbearer.compat.jwt.algorithms; print(len(sys.modules))"
    counted = [
        int(subprocess.check_output([sys.executable, "-c", one], text=True))
        for one in (code, code.replace("algorithms", "exceptions"))
    ]
    assert counted[0] == counted[1]
