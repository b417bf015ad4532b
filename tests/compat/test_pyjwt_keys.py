"""Keys, algorithms and JWK Sets of fastbearer.compat.jwt beside PyJWT's."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import jwt as theirs
import pytest
from cryptography.hazmat.primitives import serialization as forms
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms as their_algorithms
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from asgi import ASGIApp
from compat_kit import HS256, NOW, SECRET, forged, outcome
from fastbearer import Key
from fastbearer.compat import jwt as ours
from fastbearer.compat.jwt.algorithms import get_default_algorithms as our_algorithms

Serve = Callable[[ASGIApp], str]
BOTH: list[Any] = [theirs, ours]
PAIRS = [
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES256K", "ES384", "ES512", "EdDSA"),
]
KEYS = {name: Key.generate(name) for name in PAIRS}
RSA = KEYS["RS256"]


def objects(key: Key) -> tuple[Any, Any]:
    """Return the halves as key objects of the package cryptography."""
    private = forms.load_pem_private_key(key.to_pem(private=True).encode(), None)
    return private, private.public_key()


@pytest.mark.parametrize("algorithm", PAIRS)
def test_key_pairs_crosswise(algorithm: str) -> None:
    key = KEYS[algorithm]
    private_object, public_object = objects(key)
    private_jwk = {**key.to_jwk(private=True), "alg": algorithm}
    public_jwk = {**key.to_jwk(), "alg": algorithm}
    for sign, verify in ((ours, theirs), (theirs, ours)):
        signers = (
            key.to_pem(private=True),
            key.to_pem(private=True).encode(),
            private_object,
            sign.PyJWK(private_jwk),
            sign.PyJWK(private_jwk).key,
        )
        verifiers = (
            key.to_pem(),
            key.to_pem().encode(),
            public_object,
            verify.PyJWK(public_jwk),
            verify.PyJWK(public_jwk).key,
        )
        for signer in signers:
            token = sign.encode({"a": 1}, signer, algorithm)
            for verifier in verifiers:
                assert verify.decode(token, verifier, [algorithm]) == {"a": 1}
        bad = f"{token[:-10]}AAAAAAAAAA"
        for verifier in verifiers:
            with pytest.raises(verify.InvalidSignatureError):
                verify.decode(bad, verifier, [algorithm])


def test_the_old_name_of_es512() -> None:
    key = KEYS["ES512"]
    for sign, verify in ((ours, theirs), (theirs, ours)):
        token = sign.encode({"a": 1}, key.to_pem(private=True), "ES521")
        assert verify.decode(token, key.to_pem(), ["ES521"]) == {"a": 1}
        with pytest.raises(verify.InvalidAlgorithmError):
            verify.decode(token, key.to_pem(), ["ES512"])


def test_ed448() -> None:
    key = Key.generate("Ed448")
    for sign, verify in ((ours, theirs), (theirs, ours)):
        token = sign.encode({"a": 1}, key.to_pem(private=True), "EdDSA")
        assert verify.decode(token, key.to_pem(), ["EdDSA"]) == {"a": 1}


SSH = forms.Encoding.OpenSSH, forms.PublicFormat.OpenSSH


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "ES384", "ES512", "EdDSA"])
def test_public_keys_of_ssh(algorithm: str) -> None:
    key = KEYS[algorithm]
    text = objects(key)[1].public_bytes(*SSH) + b" ada@example.com"
    token = ours.encode({"a": 1}, key.to_pem(private=True), algorithm)
    for jwt in BOTH:
        assert jwt.decode(token, text, [algorithm]) == {"a": 1}
        with pytest.raises(jwt.InvalidKeyError):
            jwt.decode(forged("{}"), text, ["HS256", algorithm])


@pytest.mark.parametrize(
    "text",
    [
        b"ssh-rsa",
        b"ssh-rsa !",
        b"ssh-rsa AAAA",
        b"ssh-rsa AAAAB3NzaC1yc2E=",
        b"ssh-dss AAAAB3NzaC1kc3M=",
        b"ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY=",
        b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAAA==",
        b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5/////w==",
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        b"\xff",
        b"",
    ],
)
@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_texts_that_are_no_key(text: bytes, algorithm: str) -> None:
    with pytest.raises(ours.InvalidKeyError):
        ours.decode(forged("{}", f'{{"alg":"{algorithm}"}}'), text, [algorithm])
    with pytest.raises(ours.InvalidKeyError):
        ours.encode({}, text, algorithm)


def test_a_key_of_another_kind() -> None:
    for algorithm, key in (
        ("RS256", KEYS["ES256"]),
        ("ES256", RSA),
        ("ES256", KEYS["ES384"]),
        ("EdDSA", RSA),
        ("RS256", KEYS["EdDSA"]),
    ):
        for form in (key.to_pem(private=True), objects(key)[0]):
            for jwt in BOTH:
                found = outcome(lambda j=jwt, f=form, a=algorithm: j.encode({}, f, a))  # type: ignore[misc]
                assert found[0] in ("InvalidKeyError", "TypeError")


def test_a_certificate_is_no_key() -> None:
    """PyJWT reads none; the core would."""
    pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"
    for jwt in BOTH:
        with pytest.raises(jwt.InvalidKeyError, match="Could not parse"):
            jwt.decode(forged("{}", '{"alg":"RS256"}'), pem, ["RS256"])


def test_a_public_key_does_not_sign() -> None:
    for algorithm in PAIRS:
        key = KEYS[algorithm]
        for form in (key.to_pem(), objects(key)[1], ours.PyJWK(key.to_jwk())):
            with pytest.raises(ours.InvalidKeyError, match="public"):
                ours.encode({}, form, algorithm)


def test_a_public_key_is_no_secret() -> None:
    """CVE-2022-29217, CVE-2026-48526 and their like."""
    public = objects(RSA)[1]
    der = public.public_bytes(
        forms.Encoding.DER, forms.PublicFormat.SubjectPublicKeyInfo
    )
    for secret in (
        RSA.to_pem(),
        RSA.to_pem().replace("\n", " "),
        der,
        json.dumps(RSA.to_jwk()),
        json.dumps({"keys": [RSA.to_jwk()]}),
    ):
        for algorithms in (HS256, ["HS256", "RS256"]):
            with pytest.raises(ours.InvalidKeyError):
                ours.decode(forged("{}"), secret, algorithms)
        with pytest.raises(ours.InvalidKeyError):
            ours.encode({}, secret)
    jwk = ours.PyJWK({**RSA.to_jwk(), "alg": "RS256"})
    with pytest.raises(ours.InvalidAlgorithmError):
        ours.decode(forged("{}"), jwk, HS256)


def test_small_rsa_keys_are_refused() -> None:
    """RFC 7518 3.3; PyJWT warns."""
    small = rsa.generate_private_key(65537, 1024)
    pem = small.private_bytes(
        forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption()
    )
    for key in (small, pem):
        with pytest.raises(ours.InvalidKeyError, match="2048"):
            ours.encode({}, key, "RS256")


@pytest.mark.parametrize("algorithm", PAIRS)
@pytest.mark.parametrize("is_private", [False, True])
def test_jwks_there_and_back(algorithm: str, is_private: bool) -> None:
    form = objects(KEYS[algorithm])[0 if is_private else 1]
    mine, original = our_algorithms()[algorithm], their_algorithms()[algorithm]
    for as_dict in (False, True):
        jwk = mine.to_jwk(form, as_dict)
        assert jwk == original.to_jwk(form, as_dict)
        again = mine.from_jwk(jwk)
        assert type(again) is type(original.from_jwk(jwk))
        assert mine.to_jwk(again) == mine.to_jwk(form)


def test_an_rsa_jwk_without_primes() -> None:
    whole = RSA.to_jwk(private=True)
    bare = {name: whole[name] for name in ("kty", "n", "e", "d")}
    for jwt in BOTH:
        token = jwt.encode({"a": 1}, jwt.PyJWK(bare), "RS256")
        assert ours.decode(token, RSA.to_pem(), ["RS256"]) == {"a": 1}


EC_JWK = KEYS["ES256"].to_jwk()
OKP_JWK = KEYS["EdDSA"].to_jwk(private=True)
OCT = {"kty": "oct", "k": "c2VjcmV0"}
JWKS: list[tuple[dict[str, Any], str | None]] = [
    ({}, None),
    ({"kty": ""}, None),
    ({"kty": "XYZ"}, None),
    (OCT, None),
    (OCT, "HS512"),
    (OCT, "none"),
    ({**OCT, "alg": "HS384"}, None),
    ({**OCT, "alg": "A256KW"}, None),
    ({**OCT, "k": ""}, None),
    ({"kty": "oct"}, None),
    (RSA.to_jwk(), None),
    (RSA.to_jwk(), "PS256"),
    (RSA.to_jwk(), "unknown"),
    ({**RSA.to_jwk(), "use": "enc", "kid": "k"}, None),
    ({**RSA.to_jwk(), "n": 1}, None),
    ({**RSA.to_jwk(), "e": "AA"}, None),
    ({**RSA.to_jwk(private=True), "oth": []}, None),
    *(
        ({**RSA.to_jwk(), name: value}, None)
        for name in ("oth", "p", "qi", "use", "key_ops", "x5c")
        for value in ([], None, 1, "", [{}], "!")
    ),
    ({"kty": "RSA"}, "RS256"),
    (EC_JWK, None),
    ({**EC_JWK, "crv": "P-384"}, None),
    ({**EC_JWK, "crv": "P-999"}, None),
    ({**EC_JWK, "x": EC_JWK["x"][:-4]}, None),
    ({**EC_JWK, "x": EC_JWK["y"]}, None),
    ({"kty": "EC", "crv": "P-256"}, None),
    (OKP_JWK, None),
    ({**OKP_JWK, "crv": "X25519"}, None),
    ({**OKP_JWK, "crv": "Ed448"}, None),
    ({**OKP_JWK, "d": OKP_JWK["x"]}, None),
    ({"kty": "OKP"}, None),
    ({"kty": "OKP", "crv": "Ed25519"}, None),
]


@pytest.mark.parametrize(("jwk", "algorithm"), JWKS)
def test_jwks(jwk: dict[str, Any], algorithm: str | None) -> None:
    def seen(jwt: Any) -> Any:
        key = jwt.PyJWK(dict(jwk), algorithm)
        return key.algorithm_name, key.key_type, key.key_id, key.public_key_use

    mine, original = (outcome(lambda j=jwt: seen(j)) for jwt in (ours, theirs))  # type: ignore[misc]
    # NotImplementedError, KeyError and ValueError leak there.
    assert mine[0] == original[0] or (
        mine[0] == "InvalidKeyError" and not hasattr(theirs, original[0])
    )
    if original[0] == "ok":
        assert mine == original


def test_jwk_sets() -> None:
    keys = [{**KEYS[name].to_jwk(), "kid": name} for name in PAIRS]
    text = json.dumps({"keys": [*keys, {"kty": "XYZ"}, None, 7]})
    for jwt in BOTH:
        found = jwt.PyJWKSet.from_json(text)
        assert [key.key_id for key in found] == PAIRS
        assert found["ES384"].algorithm_name == "ES384"
        with pytest.raises(KeyError):
            found["unknown"]
        for empty in ([], [{}], "text"):
            with pytest.raises(jwt.PyJWKSetError):
                jwt.PyJWKSet(empty)


# --- the client, over real HTTP ------------------------------------------------------


class KeyHost:
    """Serves a JWK Set, and counts."""

    def __init__(self) -> None:
        self.keys = [{**RSA.to_jwk(), "kid": "one"}]
        self.requests: list[Request] = []
        self.answer: Response | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        self.requests.append(Request(scope))
        answer = self.answer or Response(json.dumps({"keys": self.keys}))
        await answer(scope, receive, send)


@pytest.fixture
def host() -> KeyHost:
    return KeyHost()


def test_a_client_fetches_once(serve: Serve, host: KeyHost) -> None:
    url = serve(host)
    client = ours.PyJWKClient(f"{url}/jwks", headers={"X-Who": "us"})
    token = ours.encode(
        {"exp": NOW + 86400},
        RSA.to_pem(private=True),
        "RS256",
        headers={"kid": "one"},
    )
    for _ in range(3):
        key = client.get_signing_key_from_jwt(token)
        assert ours.decode(token, key, ["RS256"]) == {"exp": NOW + 86400}
        assert ours.decode(token, key.key, ["RS256"]) == {"exp": NOW + 86400}
    assert len(host.requests) == 1
    assert host.requests[0].headers["x-who"] == "us"


def test_a_new_key_is_found_after_the_cooldown(serve: Serve, host: KeyHost) -> None:
    url = serve(host)
    patient = ours.PyJWKClient(url)
    at_once = ours.PyJWKClient(url, cooldown_duration=0)
    for client in (patient, at_once):
        assert client.get_signing_key("one").key_id == "one"
    host.keys.append({**KEYS["ES256"].to_jwk(), "kid": "two"})
    assert at_once.get_signing_key("two").algorithm_name == "ES256"
    with pytest.raises(ours.PyJWKClientError, match="Unable to find"):
        patient.get_signing_key("two")
    assert len(host.requests) == 3


def test_many_threads_fetch_once(serve: Serve, host: KeyHost) -> None:
    client = ours.PyJWKClient(serve(host))
    found: list[str | None] = []
    threads = [
        threading.Thread(
            target=lambda: found.append(client.get_signing_key("one").key_id)
        )
        for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["one"] * 16
    assert len(host.requests) == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Response(status_code=500), ours.PyJWKClientConnectionError),
        (RedirectResponse("/elsewhere"), ours.PyJWKClientConnectionError),
        (Response("no JSON"), ours.PyJWKClientError),
        (Response("[" * 100_000), ours.PyJWKClientError),
        (Response("[1]"), ours.PyJWKClientError),
        (Response(b" " * 2**21), ours.PyJWKClientError),
        (Response('{"keys":[]}'), ours.PyJWKSetError),
        (Response('{"keys":[{"kty":"RSA","use":"enc"}]}'), ours.PyJWKSetError),
    ],
)
def test_a_host_that_has_no_keys(
    serve: Serve, host: KeyHost, answer: Response, error: type[Exception]
) -> None:
    host.answer = answer
    with pytest.raises(error):
        ours.PyJWKClient(serve(host)).get_signing_key("one")
    assert len(host.requests) == 1


def test_a_host_that_is_not_there(serve: Serve, host: KeyHost) -> None:
    client = ours.PyJWKClient("http://127.0.0.1:1/jwks", timeout=5)
    with pytest.raises(ours.PyJWKClientConnectionError, match="Fail to fetch"):
        client.get_signing_keys()
    for url in ("file:///etc/passwd", "ftp://127.0.0.1/", "data:,x", ""):
        with pytest.raises(ours.PyJWKClientError, match="scheme"):
            ours.PyJWKClient(url)


# --- key objects ---------------------------------------------------------------------


def test_key_objects_are_known_again() -> None:
    algorithm = ours.get_algorithm_by_name("RS256")
    pem = RSA.to_pem()
    assert algorithm.prepare_key(pem) is algorithm.prepare_key(pem)
    assert isinstance(algorithm.prepare_key(pem), rsa.RSAPublicKey)
    prepared = objects(RSA)[1]
    assert algorithm.prepare_key(prepared) is prepared
    for kind, cls in (("ES256", ec.EllipticCurvePublicKey),):
        key = ours.get_algorithm_by_name(kind).prepare_key(KEYS[kind].to_pem())
        assert isinstance(key, cls)
    okp = ours.get_algorithm_by_name("EdDSA").prepare_key(KEYS["EdDSA"].to_pem())
    assert isinstance(okp, ed25519.Ed25519PublicKey)


def test_the_types_of_keys() -> None:
    from fastbearer.compat.jwt import algorithms

    assert isinstance(objects(RSA)[0], algorithms.AllowedRSAKeys)
    assert isinstance(objects(RSA)[0], algorithms.AllowedPrivateKeys)
    assert not isinstance(objects(RSA)[0], algorithms.AllowedPublicKeys)
    assert not isinstance(objects(RSA)[0], algorithms.AllowedECKeys)
    with pytest.raises(AttributeError):
        _ = algorithms.AllowedNothing  # type: ignore[attr-defined]


WITHOUT_CRYPTOGRAPHY = """
import sys
sys.modules["cryptography"] = None
from importlib import util
real = util.find_spec
util.find_spec = lambda name: None if name == "cryptography" else real(name)
from fastbearer import Key
from fastbearer.compat import jwt
from fastbearer.compat.jwt.algorithms import ECAlgorithm, RSAAlgorithm
for name in {pairs}:
    key = Key.generate(name)
    private = jwt.PyJWK({{**key.to_jwk(private=True), "alg": name}})
    public = jwt.PyJWK({{**key.to_jwk(), "alg": name}})
    for form in (key, key.to_pem(private=True), private):
        token = jwt.encode({{"a": 1}}, form, name)
        for public in (key.public(), key.to_pem(), public):
            assert jwt.decode(token, public, [name]) == {{"a": 1}}
    algorithm = jwt.get_algorithm_by_name(name)
    assert algorithm.from_jwk(algorithm.to_jwk(key)).thumbprint() == key.thumbprint()
    assert algorithm.check_key_length(key) is None
try:
    jwt.encode({{}}, object(), "RS256")
except TypeError:
    print("as well without")
assert jwt.get_algorithm_by_name("ES256").expected_curve == "secp256r1"
"""


def test_without_the_package_cryptography() -> None:
    code = WITHOUT_CRYPTOGRAPHY.format(pairs=PAIRS)
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, capture_output=True, text=True)
    assert found.stdout == "as well without\n", found.stderr


def test_importing_it_is_light() -> None:
    code = (
        "import sys, fastbearer.compat.jwt as jwt\n"
        f"token = jwt.encode({{}}, {SECRET!r})\n"
        f"jwt.decode(token, {SECRET!r}, ['HS256'])\n"
        "print('cryptography' in sys.modules)"
    )
    found = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert found == "False\n"
