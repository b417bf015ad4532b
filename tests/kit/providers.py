"""Identity providers as their documents describe them: tokens, and where keys are.

Each has a file in ``providers/``, for each profile of `Issuer` one or more. Claims and
key sets have the shapes of the documents that the profiles name, with the members that
nobody needs.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from fastbearer import Key, jws
from fastbearer.issuers import Issuer

NOW = 1_790_000_000
"""What every clock of these tests shows."""

Members = dict[str, Any]

SAMPLES = Path(__file__).with_name("providers")


@cache
def key_of(algorithm: str, kid: str) -> Key:
    """Return a key of this name, the same one all through a run."""
    return Key.generate(algorithm, kid=kid)


@cache
def certificate(key: Key) -> x509.Certificate:
    """Return a certificate of the key that it has signed itself."""
    pem = key.to_pem(private=True)
    private = serialization.load_pem_private_key(
        pem if isinstance(pem, bytes) else pem.encode(), None
    )
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "issuer.example.com")])
    start = datetime.fromtimestamp(NOW, UTC) - timedelta(days=30)
    builder = x509.CertificateBuilder(
        name, name, private.public_key(), 1, start, start + timedelta(days=3650)
    )
    return builder.sign(private, hashes.SHA256())  # type: ignore[arg-type]


def x5c(key: Key) -> list[str]:
    der = certificate(key).public_bytes(serialization.Encoding.DER)
    return [base64.b64encode(der).decode()]


def x5t(key: Key, digest: hashes.HashAlgorithm | None = None) -> str:
    thumb = certificate(key).fingerprint(digest or hashes.SHA1())
    return base64.urlsafe_b64encode(thumb).rstrip(b"=").decode()


def entry(key: Key, *without: str, **members: Any) -> Members:
    """Return a key as a key set has it, with further members and without some."""
    whole = {**key.public().to_jwk(), **members}
    return {name: value for name, value in whole.items() if name not in without}


def a_set(entries: Iterable[Members], **members: Any) -> bytes:
    return json.dumps({"keys": list(entries), **members}).encode()


def plain_set(keys: Iterable[Key]) -> bytes:
    """Return what Cognito, Okta, Clerk and ZITADEL publish."""
    return a_set(entry(key, use="sig") for key in keys)


def auth0_set(keys: Iterable[Key]) -> bytes:
    """Return what Auth0, WorkOS and GitHub publish: with certificates."""
    return a_set(entry(key, use="sig", x5c=x5c(key), x5t=x5t(key)) for key in keys)


def entra_set(keys: Iterable[Key]) -> bytes:
    """Return a set without ``alg``, and with the issuer of each key."""
    issuer = "https://login.microsoftonline.com/{tenantid}/v2.0"
    return a_set(
        entry(key, "alg", use="sig", x5t=key.kid, x5c=x5c(key), issuer=issuer)
        for key in keys
    )


def keycloak_set(keys: Iterable[Key]) -> bytes:
    """Return a set that has a key for encryption as well."""
    every = [
        entry(
            key,
            use="sig",
            x5c=x5c(key),
            x5t=x5t(key),
            **{"x5t#S256": x5t(key, hashes.SHA256())},
        )
        for key in keys
    ]
    encrypting = {**every[0], "kid": "enc", "alg": "RSA-OAEP", "use": "enc"}
    return a_set([encrypting, *every])


def supabase_set(keys: Iterable[Key]) -> bytes:
    return a_set(entry(key, key_ops=["verify"], ext=True, use="sig") for key in keys)


def cloudflare_set(keys: Iterable[Key]) -> bytes:
    """Return a set with the certificates beside the keys."""
    every = list(keys)
    pem = serialization.Encoding.PEM
    certificates = [
        {"kid": key.kid, "cert": certificate(key).public_bytes(pem).decode()}
        for key in every
    ]
    return a_set(
        (entry(key, use="sig") for key in every),
        public_cert=certificates[0],
        public_certs=certificates,
    )


def better_auth_set(keys: Iterable[Key]) -> bytes:
    return a_set(entry(key) for key in keys)


def x509_map(keys: Iterable[Key]) -> bytes:
    """Return kid -> certificate, as Firebase and Google have it."""
    pem = serialization.Encoding.PEM
    found = {key.kid: certificate(key).public_bytes(pem).decode() for key in keys}
    return json.dumps(found, indent=2).encode()


def openid_configuration(issuer: str, keys: str) -> bytes:
    """Return a document of OpenID Connect Discovery 1.0, with what most have."""
    whole = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "introspection_endpoint": f"{issuer}/introspect",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "end_session_endpoint": f"{issuer}/logout",
        "jwks_uri": keys,
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "response_types_supported": ["code", "id_token"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": ["RS256", "ES384", "HS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "none"],
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "email"],
        "code_challenge_methods_supported": ["S256"],
        "claims_parameter_supported": True,
        "mtls_endpoint_aliases": {"token_endpoint": f"{issuer}/token"},
    }
    return json.dumps(whole).encode()


KEY_SETS = {
    made.__name__: made
    for made in (
        plain_set,
        auth0_set,
        entra_set,
        keycloak_set,
        supabase_set,
        cloudflare_set,
        better_auth_set,
    )
}


class Provider:
    """One provider, from its file.

    Attributes:
        profile: The method of `Issuer`, or None for a plain one.
        settings: Its arguments, as settings have them.
        urls: The values of ``iss`` that count; a good token has the first, unless its
            claims name another.
        keys: Where the document says that the keys are; None where discovery tells.
        algorithm: What its keys are for.
        user: What the dependency gives.
        scopes: The token's scopes, all of them.
        fine: Situation -> what a good token may have in place: members of the header,
            and claims, of which None removes one.
        wrong: Situation -> what makes a good token a bad one.
    """

    def __init__(self, path: Path) -> None:
        told = json.loads(path.read_text())
        self.name: str = path.stem
        self.profile: str | None = told["profile"]
        self.settings: Members = told["settings"]
        self.urls: list[str] = told["urls"]
        self.keys: str | None = told["keys"]
        self.algorithm: str = told["algorithm"]
        self.user: Members = told["user"]
        self.scopes: set[str] = set(told["scopes"])
        self.fine: dict[str, Members] = told["fine"]
        self.wrong: dict[str, Members] = told["wrong"]
        self.key_set = KEY_SETS[told["key_set"]]
        self._header: Members = told["header"]
        self._claims: Members = {"iss": self.urls[0], **told["claims"]}
        self._times: dict[str, int] = told["times"]

    def issuer(self, **options: Any) -> Issuer:
        """Return the issuer, with fields that are to differ."""
        make = Issuer if self.profile is None else getattr(Issuer, self.profile)
        issuer: Issuer = make(**{**self.settings, **options})
        return issuer

    def key(self, kid: str = "current") -> Key:
        return key_of(self.algorithm, kid)

    def token(
        self,
        change: Members | None = None,
        *,
        key: Key | None = None,
        now: int = NOW,
    ) -> str:
        """Return a token: a good one, but for the change."""
        change = change or {}
        times = {name: now + seconds for name, seconds in self._times.items()}
        claims = {**self._claims, **times, **change.get("claims", {})}
        header = {**self._header, **change.get("header", {})}
        key = key or self.key()
        if "kid" in header:
            key = Key.from_pem(key.to_pem(private=True), key.algorithm)
        # Not a Signer, which writes a typ where the provider has none.
        payload = json.dumps(_present(claims)).encode()
        return jws.sign(payload, key, headers=_present(header))


def _present(members: Members) -> Members:
    return {name: value for name, value in members.items() if value is not None}


PROVIDERS = [Provider(path) for path in sorted(SAMPLES.glob("*.json"))]


def named(name: str) -> Provider:
    return next(one for one in PROVIDERS if one.name == name)


def members(issuer: Issuer) -> dict[str, Any]:
    """Return the fields of an issuer, several as a list."""
    values = {field.name: getattr(issuer, field.name) for field in fields(issuer)}
    return {
        name: list(value) if isinstance(value, tuple | frozenset) else value
        for name, value in values.items()
    }
