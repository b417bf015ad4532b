"""What a URL of keys may answer with: sets, maps of certificates, and other things."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificateIssuerPrivateKeyTypes,
)

from fastbearer import (
    ConfigurationError,
    Key,
    KeySourceError,
    Signer,
    UnknownKeyError,
)
from fastbearer.jwks import JWKSClient, JWKSVerifier
from fastbearer.jwks.fetch import FetchError
from fastbearer.jwks.key_documents import MOST_LINES, read_keys
from key_server import KeyServer, answer, jwks_text, serving

pytestmark = pytest.mark.http

GOOD = Key.generate("ES256", kid="good")
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
RSA_JWK = Key.from_pem(
    RSA_KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
).to_jwk()


NOT_TAKEN = "private keys and secrets are not taken from this set"
NOT_READ = "the text has no PEM block"


@pytest.fixture
def server() -> Iterator[KeyServer]:
    with KeyServer(serving(GOOD)) as server:
        yield server


def private_pem(key: CertificateIssuerPrivateKeyTypes) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def certificate(
    key: CertificateIssuerPrivateKeyTypes, days: tuple[int, int] = (-1, 10)
) -> str:
    """Return a certificate as Google makes them: signed by itself."""
    name = x509.Name(
        [
            x509.NameAttribute(
                x509.NameOID.COMMON_NAME, "securetoken.system.gserviceaccount.com"
            )
        ]
    )
    first, last = (datetime.now(UTC) + timedelta(days=day) for day in days)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, first, last)
    return (
        builder.sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
        .decode()
    )


def lines(server: KeyServer, caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the log says of the entries, without the beginning they share."""
    start = f"key left out of {server.url}: "
    assert all(line.startswith(start) for line in caplog.messages)
    return [line.removeprefix(start) for line in caplog.messages]


# --- keys that are left out --------------------


@pytest.mark.parametrize(
    ("entry", "named", "rule", "member"),
    [
        ({"kty": "EC", "crv": "P-256"}, "(EC P-256)", "missing", "x"),
        ({"kty": "RSA", "n": "AQAB", "e": "AQAB"}, "(RSA)", "2048", "n"),
        (RSA_JWK | {"n": "A-secret*"}, "(RSA RS256)", "base64url", "n"),
        (RSA_JWK | {"alg": "ES256"}, "(RSA ES256)", "suit", "alg"),
        (GOOD.to_jwk() | {"crv": "P-9"}, "(EC P-9 ES256)", "curve", "crv"),
        (GOOD.to_jwk() | {"y": GOOD.to_jwk()["x"]}, "(EC P-256 ES256)", "point", "x"),
        ({"kty": "oct", "k": "a-secret"}, "(oct)", "private keys and secrets", ""),
        (GOOD.to_jwk(private=True), "(EC P-256 ES256)", "private keys", ""),
    ],
)
def test_a_key_that_is_left_out_is_named_in_the_log(
    server: KeyServer,
    caplog: pytest.LogCaptureFixture,
    entry: Any,
    named: str,
    rule: str,
    member: str,
) -> None:
    """With its kid, its kind, the rule that it breaks and the member that does."""
    body = json.dumps({"keys": [entry | {"kid": "b"}, GOOD.public().to_jwk()]})
    server.behave = answer(body.encode())
    client = JWKSClient(server.url)
    assert len(client.keys()) == 1
    (line,) = lines(server, caplog)
    assert line.startswith(f"kid 'b' {named}: ") and rule in line
    assert line.endswith(f": {member}" if member else "set")
    assert "secret*" not in line and "a-secret" not in line and "\n" not in line


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        (RSA_JWK | {"kid": 7}, "kid 7 (RSA RS256): "),
        ("a-secret", "an entry that is not an object: "),
        ({}, "without kid: "),
    ],
)
def test_what_has_no_key_id_is_left_out_in_the_log_too(
    server: KeyServer, caplog: pytest.LogCaptureFixture, entry: Any, named: str
) -> None:
    body = json.dumps({"keys": [entry, GOOD.public().to_jwk()]})
    server.behave = answer(body.encode())
    JWKSClient(server.url).keys()
    (line,) = lines(server, caplog)
    assert line.startswith(named) and "a-secret" not in line


@pytest.mark.parametrize(
    "change",
    [
        {"n": "with a leading zero"},
        {"alg": None, "use": None, "x5c": None, "key_ops": None},
        {"key_ops": []},
        {"oth": []},
        {"d": None, "p": None},
        {"use": "sig", "key_ops": ["verify", "verify"]},
    ],
    ids=ascii,
)
def test_keys_as_other_writers_publish_them(
    server: KeyServer, caplog: pytest.LogCaptureFixture, change: dict[str, Any]
) -> None:
    """Java's leading zero, .NET's empty lists, members that are null."""
    entry = RSA_JWK | {"kid": "r"} | change
    if "n" in change:
        number = base64.urlsafe_b64decode(RSA_JWK["n"] + "==")
        entry["n"] = base64.urlsafe_b64encode(b"\0" + number).decode().rstrip("=")
    server.behave = answer(json.dumps({"keys": [entry]}).encode())
    assert JWKSVerifier(server.url).verify(signed(RSA_KEY, "r"))["sub"] == "u1"
    assert caplog.messages == []


def test_a_text_is_told_of_once(
    server: KeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    passed = [0.0]
    broken = {"kty": "EC", "crv": "P-256", "kid": "broken"}
    good = GOOD.public().to_jwk()
    server.behave = answer(json.dumps({"keys": [broken, good]}).encode())
    client = JWKSClient(server.url, clock=lambda: passed[0])
    for _ in range(5):
        client.keys()
        passed[0] += 300
    assert server.hits == 5
    assert len(lines(server, caplog)) == 1
    server.behave = answer(json.dumps({"keys": [good, broken]}).encode())
    client.keys()
    assert len(lines(server, caplog)) == 2


@pytest.mark.parametrize(
    "entry",
    [
        RSA_JWK | {"use": "enc", "alg": "RSA-OAEP", "kid": "e"},
        {"kty": "unheard-of", "kid": "e"},
        {"kty": "OKP", "crv": "X25519", "x": "AA", "alg": "ECDH-ES", "kid": "e"},
        RSA_JWK | {"key_ops": ["encrypt", "wrapKey"], "alg": "RS256", "kid": "e"},
    ],
)
def test_a_key_for_encryption_is_no_news(
    server: KeyServer, caplog: pytest.LogCaptureFixture, entry: Any
) -> None:
    """Keycloak's sets always have one; RFC 7517 5 says to pass it over."""
    caplog.set_level(logging.INFO, "fastbearer")
    body = json.dumps({"keys": [entry, GOOD.public().to_jwk()]})
    server.behave = answer(body.encode())
    assert len(JWKSClient(server.url).keys()) == 1
    (record,) = caplog.records
    assert record.levelno == logging.INFO
    assert "kid 'e'" in record.getMessage()


def test_a_hostile_set_does_not_flood_the_log(
    server: KeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "fastbearer")
    long = "x" * 100_000
    bad = [{"kty": "EC", "crv": "P-256", "kid": f"{n}\n\x1b[31m"} for n in range(99)]
    bad += [{"kty": "enc", "kid": str(n)} for n in range(99)]
    bad[0] = {"kty": long, "alg": "\u202e" + long[:500], "kid": long[:500]}
    body = json.dumps({"keys": [*bad, GOOD.public().to_jwk()]})
    server.behave = answer(body.encode())
    client = JWKSClient(server.url, max_bytes=1_000_000)
    client.keys()
    assert len(caplog.messages) == 2 * MOST_LINES + 1
    for line in caplog.messages:
        assert line.isascii() and line.isprintable() and len(line) < 500


# --- sets without a usable key --------------------


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"keys": []}', "the JWK Set has no usable key"),
        (
            b'{"keys": [{"kty": "oct", "k": "YQ", "kid": "s\\u202e"}]}',
            f"the JWK Set has no usable key ('s\\u202e': {NOT_TAKEN})",
        ),
        (json.dumps({"keys": [{}] * 257}).encode(), "a JWK Set of more than 256 keys"),
        (
            b'{"k": "-----BEGIN CERTIFICATE-----"}',
            f"a map of key IDs without a usable key (kid 'k': {NOT_READ}",
        ),
    ],
)
def test_no_usable_key_says_nothing_of_a_token(
    server: KeyServer, caplog: pytest.LogCaptureFixture, body: bytes, said: str
) -> None:
    """It cannot be told at the moment: never an InvalidKeyError at a request."""
    server.behave = answer(body)
    with pytest.raises(KeySourceError) as caught:
        JWKSVerifier(server.url).verify(Signer(GOOD, lifetime=60).sign({"sub": "u"}))
    assert str(caught.value).startswith(f"no keys: {said}")
    (line,) = caplog.messages
    assert line.startswith(f"keys not fetched from {server.url}: {said}")


# --- other documents --------------------

DISCOVERY = {
    "issuer": "https://id.example/realms/x",
    "jwks_uri": "https://id.example/realms/x/keys",
}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (DISCOVERY, "set JWT_ISSUER to https://id.example/realms/x,"),
        (DISCOVERY | {"issuer": "https://id.example/?k=a-secret"}, "its issuer"),
        (DISCOVERY | {"issuer": "a-secret"}, "a discovery document"),
        (DISCOVERY | {"issuer": 7}, "a discovery document"),
        (GOOD.public().to_jwk(), "a single JWK"),
        ([GOOD.public().to_jwk()], "a JSON array"),
        ({"realm": "x", "public_key": "a-secret"}, "for an issuer, set JWT_ISSUER"),
        ({"keys": {"kid": "a-secret"}}, "are not an array"),
        ({"keys": None}, "are not an array"),
        ({"error": "a-secret"}, "a JSON object without keys"),
        ({}, "a JSON object without keys"),
        (b"", "an empty answer"),
        (b" \r\n\t", "an empty answer"),
        (b"<!doctype html>a-secret", "an HTML page"),
        (b"\n <html>a-secret", "an HTML page"),
        (b"<?xml version='1.0'?>", "XML"),
        (b"-----BEGIN CERTIFICATE-----\na-secret", "a PEM text"),
        (b"-----BEGIN PUBLIC KEY-----\na-secret", "a PEM text"),
        (b"eyJhbGciOiJFUzI1NiJ9.e30.AAAA", "a signed key set"),
        (b"{'keys': []}", "not strict JSON"),
        (b'{"keys": [}', "not strict JSON"),
        (b"a-secret", "not JSON"),
        (b"\x1f\x8b\x08", "not JSON"),
        ("{}".encode("utf-16"), "not JSON"),
    ],
)
def test_what_is_no_key_set_is_said(body: Any, said: str) -> None:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(FetchError) as caught:
        read_keys(text)
    assert said in str(caught.value)
    assert "a-secret" not in str(caught.value)


def test_a_byte_order_mark_is_no_fault() -> None:
    """Most readers take one for none (RFC 8259 8.1); .NET and editors write it."""
    keys, _ = read_keys(b"\xef\xbb\xbf" + jwks_text(GOOD))
    assert [key.kid for key in keys] == ["good"]


@pytest.mark.parametrize(
    ("url", "issuer"),
    [
        ("https://id.example/.well-known/openid-configuration", "https://id.example"),
        (
            "https://id.example:8443/realms/x/.well-known/openid-configuration/?a=b",
            "https://id.example:8443/realms/x",
        ),
        (
            "https://id.example/.well-known/oauth-authorization-server",
            "https://id.example",
        ),
        (
            "https://id.example/.well-known/oauth-authorization-server/x",
            "https://id.example/x",
        ),
    ],
)
def test_the_url_of_a_discovery_document_is_said_at_the_start(
    url: str, issuer: str
) -> None:
    with pytest.raises(ConfigurationError, match="JWKS URL") as caught:
        JWKSClient(url)
    assert f"set JWT_ISSUER to {issuer}, and no" in str(caught.value)


# --- maps of certificates --------------------


def served(server: KeyServer, entries: dict[str, Any], **headers: str) -> None:
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    server.behave = answer(json.dumps(entries, indent=2).encode(), headers=named)


def signed(key: CertificateIssuerPrivateKeyTypes, kid: str, alg: str = "RS256") -> str:
    made = Key.from_pem(private_pem(key), alg, kid=kid)
    return Signer(made, lifetime=60).sign({"sub": "u1"})


def test_a_map_of_certificates(server: KeyServer) -> None:
    """Firebase's securetoken@system, and Google's oauth2/v1/certs."""
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    served(server, {"k1": certificate(RSA_KEY), "k2": certificate(other)})
    verifier = JWKSVerifier(server.url)
    assert verifier.verify(signed(RSA_KEY, "k1"))["sub"] == "u1"
    assert verifier.verify(signed(other, "k2"))["sub"] == "u1"
    with pytest.raises(UnknownKeyError):
        verifier.verify(signed(other, "k3"))
    assert server.hits == 1  # within the cool-down


@pytest.mark.parametrize("days", [(-20, -10), (10, 20)])
def test_the_dates_of_a_certificate_do_not_matter(
    server: KeyServer, days: tuple[int, int]
) -> None:
    """As in firebase-admin and google-auth: the map says which keys are in use."""
    served(server, {"k1": certificate(RSA_KEY, days)})
    assert JWKSVerifier(server.url).verify(signed(RSA_KEY, "k1"))


def test_a_map_of_bare_public_keys(server: KeyServer) -> None:
    """As Google's Identity-Aware Proxy publishes for ES256."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    served(server, {"k1": pem.decode()})
    assert JWKSVerifier(server.url).verify(signed(key, "k1", "ES256"))


def test_a_map_is_as_fresh_as_it_says(server: KeyServer) -> None:
    passed = [0.0]
    served(server, {"k1": certificate(RSA_KEY)}, Cache_Control="public, max-age=19845")
    client = JWKSClient(server.url, clock=lambda: passed[0])
    client.keys()
    passed[0] = 19844
    client.keys()
    assert server.hits == 1
    passed[0] = 19845
    client.keys()
    assert server.hits == 2


def test_a_certificate_that_is_left_out_is_named(
    server: KeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    broken = certificate(RSA_KEY)[:200]
    served(
        server,
        {
            "good": certificate(RSA_KEY),
            "weak": certificate(weak),
            "broken": broken,
            "private": private_pem(RSA_KEY),
            "null": None,
            "text": "a-secret",
            "": certificate(RSA_KEY),
        },
    )
    keys = JWKSClient(server.url).keys()
    assert [key.kid for key in keys] == ["good"]
    told = lines(server, caplog)
    names = ["weak", "broken", "private", "null", "text", ""]
    assert [line.partition(":")[0] for line in told] == [f"kid '{n}'" for n in names]
    assert "a-secret" not in "".join(told)


def test_a_map_with_too_many_certificates(server: KeyServer) -> None:
    one = certificate(ec.generate_private_key(ec.SECP256R1()))
    served(server, {f"k{n}": one for n in range(257)})
    with pytest.raises(KeySourceError, match="more than 256 keys"):
        JWKSClient(server.url, max_bytes=1_000_000).keys()


def test_a_key_set_with_certificates_beside_it_is_a_key_set() -> None:
    entries = {"keys": [GOOD.public().to_jwk()], "k1": certificate(RSA_KEY)}
    keys, _ = read_keys(json.dumps(entries).encode())
    assert [key.kid for key in keys] == ["good"]
