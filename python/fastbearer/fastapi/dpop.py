"""Proofs of possession: tokens that are of use to one key only (RFC 9449)."""

from __future__ import annotations

import hashlib
import hmac
import math
import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from fastbearer import Key, Verifier
from fastbearer._core import algorithms as known_algorithms
from fastbearer._core import base64url_bytes, json_object
from fastbearer.base64url import base64url_encode
from fastbearer.errors import (
    BoundTokenError,
    ConfigurationError,
    InvalidKeyError,
    InvalidProofError,
    MalformedTokenError,
    TokenError,
)
from fastbearer.fastapi.once import once
from fastbearer.fastapi.replays import MemoryReplays, ReplayStore
from fastbearer.fastapi.requested_url import normalised, requested_url
from fastbearer.urls import origin_and_path
from fastbearer.utf8 import utf8_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, MutableMapping

__all__ = ["DPoP", "Proofs"]

ALGORITHMS = ("ES256", "ES384", "ES512", "EdDSA", "Ed25519", "PS256", "RS256")
TYPE = "dpop+jwt"
MAX_PROOF_BYTES = 4096
MAX_NAME_CHARACTERS = 256
MAX_WINDOW_SECONDS = 3600
NONCE_PERIOD_SECONDS = 300
NONCE_SECRET_BYTES = 32
KNOWN_KEYS = 1024
KNOWN_HEADER_CHARACTERS = 1024

PRIVATE_MEMBERS = frozenset(("d", "p", "q", "dp", "dq", "qi", "oth", "k"))

WRONG_ALGORITHMS = "DPoP needs a list of asymmetric algorithms, like ES256"
WRONG_BASE = "the base URL of DPoP must be an absolute http or https URL of ASCII"
WRONG_WINDOW = f"DPoP needs a lifetime of 1 to {MAX_WINDOW_SECONDS} seconds, and leeway"
UNREADABLE_SECRET = "the secret for nonces is not UTF-8"
SHORT_SECRET = f"a secret for nonces needs at least {NONCE_SECRET_BYTES} bytes"


@dataclass(frozen=True, eq=False)
class DPoP:
    """How tokens that are bound to a key are accepted.

    A client sends ``Authorization: DPoP <token>``, and in the header ``DPoP`` a proof
    that it has signed for this one request, with the key that the token names in
    ``cnf.jkt``. Such a token is never accepted after ``Bearer``, and one that is bound
    to no key never after ``DPoP`` (RFC 9449 7.1, 7.2).

    Attributes:
        required: Whether all tokens need a proof. Otherwise, tokens that are bound to
            no key are accepted after ``Bearer``, as without this.
        algorithms: The accepted ``alg`` values of proofs, asymmetric ones.
        base_url: Scheme, host and path prefix of this service as its clients see it,
            which they sign in ``htu``. Without it, the origin of the `Resource`. Where
            there is none either, it is what the server says of a request, with the
            header ``Host``; a proxy must hand on scheme and host then.
        lifetime: Seconds for which a proof is good after its ``iat``.
        leeway: Seconds by which a client's clock may be ahead.
        replays: Who remembers used proofs. The default is the memory of this process;
            several processes need one store for all, like `RedisReplays`.
        nonce_secret: At least 32 bytes, the same for all processes. With it, each proof
            needs a nonce that this service gave in ``DPoP-Nonce``, five to ten minutes
            ago at most (RFC 9449 9).

    Raises:
        ConfigurationError: One of these is not as it says.
    """

    required: bool = False
    algorithms: Collection[str] = ALGORITHMS
    base_url: str | None = None
    lifetime: int = 60
    leeway: int = 5
    replays: ReplayStore = field(default_factory=MemoryReplays)
    nonce_secret: str | bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "algorithms", _asymmetric(self.algorithms))
        if self.base_url is not None:
            _base(self.base_url)
        if self.nonce_secret is not None:
            _nonce_key(self.nonce_secret)
        if not 0 < self.lifetime <= MAX_WINDOW_SECONDS:
            raise ConfigurationError(WRONG_WINDOW)
        if not 0 <= self.leeway <= MAX_WINDOW_SECONDS:
            raise ConfigurationError(WRONG_WINDOW)


class ProvenKey(NamedTuple):
    """The key of a client, and what verifies its proofs."""

    verifier: Verifier
    thumbprint: str


class Asked(NamedTuple):
    """A proof, and what it has to fit.

    Attributes:
        token: As it came, verified.
        bound_to: The thumbprint of its key.
        proof: As it came, unread.
        method: Of the request.
        url: The same, in its normal form; None where the request does not say.
    """

    token: str
    bound_to: str
    proof: str
    method: str
    url: str | None


class Proofs:
    """Checks that a request has a proof for its token (RFC 9449 4.3).

    Args:
        dpop: What is accepted.
        origin: That of this service, where ``dpop`` has no base URL.
        clock: In place of the system's: a callable that returns seconds since the
            epoch.
    """

    def __init__(
        self,
        dpop: DPoP,
        *,
        origin: str | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._dpop = dpop
        self._base = None if origin is None else (origin, "")
        if dpop.base_url is not None:
            self._base = _base(dpop.base_url)
        self._clock = clock or time.time
        secret = dpop.nonce_secret
        self._nonce_key = None if secret is None else _nonce_key(secret)
        self._known_key = lru_cache(KNOWN_KEYS)(self._read_key)

    async def check(
        self, scope: MutableMapping[str, Any], token: str, claims: Mapping[str, Any]
    ) -> None:
        """Check the proof of a request, once for all that look at the same request.

        A proof is used up by that, and may be too old after a body that takes long.

        Args:
            scope: ASGI's, of the request or WebSocket.
            token: As it came after ``DPoP``, verified.
            claims: Those of the token.

        Raises:
            BoundTokenError: The token is bound to no key, to another one, or otherwise.
            InvalidProofError: The proof is not accepted.
            StoreUnavailableError: Whether it has been used cannot be told.
        """
        asked = Asked(
            token,
            _thumbprint_of(claims),
            _proof_of(scope),
            # A WebSocket begins as a GET (RFC 6455 4.1).
            scope.get("method", "GET"),
            requested_url(scope, self._base),
        )
        await once(scope, (self, asked), lambda: self._judge(asked))

    async def _judge(self, asked: Asked) -> None:
        now = self._clock()
        key = self._key_of(asked.proof)
        if key.thumbprint != asked.bound_to:
            raise BoundTokenError("the token is bound to another key", "other_key")
        signed = _signed(key.verifier, asked.proof)
        _check_request(asked, signed)
        self._check_time(signed, now)
        if signed.get("ath") != _digest(asked.token.encode("latin-1")):
            raise InvalidProofError("the proof is for another token", "proof_ath")
        self._check_nonce(signed, now)
        await self._check_first_use(f"{key.thumbprint}.{signed['jti']}", now)

    def _key_of(self, proof: str) -> ProvenKey:
        """Return the key of a proof; a client has one, so most are known already."""
        header = proof.partition(".")[0]
        try:
            if len(header) <= KNOWN_HEADER_CHARACTERS:
                return self._known_key(header)
            return self._read_key(header)
        except (MalformedTokenError, InvalidKeyError) as error:
            reason = "the proof's header has no public key that fits"
            raise InvalidProofError(reason, "proof_key") from error

    def _read_key(self, segment: str) -> ProvenKey:
        header = json_object(base64url_bytes(segment))
        alg, jwk = header.get("alg"), header.get("jwk")
        if alg not in self._dpop.algorithms:
            raise InvalidProofError("the proof's alg is not accepted", "proof_alg")
        if not isinstance(jwk, dict) or not PRIVATE_MEMBERS.isdisjoint(jwk):
            raise InvalidKeyError("the proof's jwk is not a public key")
        key = Key.from_jwk(jwk, alg)
        verifier = Verifier(
            key,
            ignore_audience=True,
            require=("jti", "htm", "htu", "iat"),
            typ=TYPE,
            max_bytes=MAX_PROOF_BYTES,
            leeway=self._dpop.leeway,
            clock=self._clock,
        )
        return ProvenKey(verifier, key.thumbprint())

    def _check_time(self, signed: Mapping[str, Any], now: float) -> None:
        dpop = self._dpop
        if not now - dpop.lifetime <= signed["iat"] <= now + dpop.leeway:
            raise InvalidProofError("the proof was not made just now", "proof_iat")

    def _check_nonce(self, signed: Mapping[str, Any], now: float) -> None:
        if self._nonce_key is None:
            return
        period = int(now // NONCE_PERIOD_SECONDS)
        given, fresh = signed.get("nonce"), _nonce(self._nonce_key, period)
        if given is None:
            raise InvalidProofError("the proof has no nonce", "nonce_missing", fresh)
        before = _nonce(self._nonce_key, period - 1)
        if not (_is_same(given, fresh) or _is_same(given, before)):
            raise InvalidProofError("the proof's nonce is old", "nonce_unknown", fresh)

    async def _check_first_use(self, name: str, now: float) -> None:
        """Last of all, so that only the owners of tokens and keys fill the store.

        A proof is remembered for twice as long as it is good: that covers another
        process whose clock lags so far that it barely takes what is made just now.
        """
        seconds = math.ceil(2 * (self._dpop.lifetime + self._dpop.leeway)) + 1
        digest = _digest(name.encode())
        is_first = self._dpop.replays.is_first_use(digest, now, seconds)
        if not isinstance(is_first, bool):
            is_first = await is_first
        if not is_first:
            raise InvalidProofError("the proof has been used", "proof_replayed")


def _check_request(asked: Asked, signed: Mapping[str, Any]) -> None:
    if signed["htm"] != asked.method:
        raise InvalidProofError("the proof is for another method", "proof_htm")
    url = normalised(signed["htu"])
    if url is None or url != asked.url:
        raise InvalidProofError("the proof is for another URL", "proof_htu")


def _thumbprint_of(claims: Mapping[str, Any]) -> str:
    """Return the thumbprint of the key that a token is bound to, and to nothing else.

    A second member may be a certificate (RFC 8705 3.1), which nobody has shown here.
    """
    if "cnf" not in claims:
        raise BoundTokenError("the token is bound to no key", "unbound")
    confirmation = claims["cnf"]
    thumbprint = None
    if isinstance(confirmation, dict) and confirmation.keys() == {"jkt"}:
        thumbprint = confirmation["jkt"]
    if not isinstance(thumbprint, str):
        raise BoundTokenError("the token is bound in another way", "other_binding")
    return thumbprint


def _proof_of(scope: Mapping[str, Any]) -> str:
    """Return the one proof of a request (RFC 9449 4.3, 1 and 2)."""
    found = [value for name, value in scope["headers"] if name == b"dpop"]
    if not found:
        raise InvalidProofError("there is no header DPoP", "proof_missing")
    if len(found) > 1:
        raise InvalidProofError("there is more than one header DPoP", "two_proofs")
    if len(found[0]) > MAX_PROOF_BYTES:
        raise InvalidProofError("the proof is too long", "proof_too_long")
    return bytes(found[0]).decode("latin-1")


def _signed(verifier: Verifier, proof: str) -> dict[str, Any]:
    """Return the claims of a proof, of the types that they must have."""
    try:
        signed = verifier.verify(proof)
    except TokenError as error:
        reason = f"proof_{error.reason or error.code}"
        raise InvalidProofError("the proof is not a good JWT", reason) from error
    if not all(isinstance(signed[name], str) for name in ("jti", "htm", "htu")):
        raise InvalidProofError("a claim of the proof has a wrong type", "proof_claim")
    if not 0 < len(signed["jti"]) <= MAX_NAME_CHARACTERS:
        raise InvalidProofError("the proof's jti is empty or too long", "proof_jti")
    return signed


def _asymmetric(names: Collection[str]) -> tuple[str, ...]:
    found = () if isinstance(names, str) else tuple(names)
    if not found or not all(
        name in known_algorithms and not name.startswith("HS") for name in found
    ):
        raise ConfigurationError(WRONG_ALGORITHMS)
    return found


def _base(url: str) -> tuple[str, str]:
    found = origin_and_path(url)
    if found is None:
        raise ConfigurationError(WRONG_BASE)
    return found[0], found[1].rstrip("/")


def _nonce_key(secret: str | bytes) -> bytes:
    key = utf8_of(secret) if isinstance(secret, str) else secret
    if key is None:
        raise ConfigurationError(UNREADABLE_SECRET)
    if len(key) < NONCE_SECRET_BYTES:
        raise ConfigurationError(SHORT_SECRET)
    return key


def _nonce(key: bytes, period: int) -> str:
    """Return the nonce of a period, which only those who have the key can tell."""
    text = b"fastbearer DPoP nonce %d" % period
    return _base64url(hmac.digest(key, text, "sha256"))


def _is_same(given: object, nonce: str) -> bool:
    if not isinstance(given, str) or not given.isascii():
        return False
    return hmac.compare_digest(given, nonce)


def _digest(text: bytes) -> str:
    return _base64url(hashlib.sha256(text).digest())


def _base64url(data: bytes) -> str:
    return base64url_encode(data).decode()
