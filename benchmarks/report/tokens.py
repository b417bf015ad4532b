"""Tokens: verified, signed and refused, of all algorithms, of 200 bytes to 20 kB."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.report.figures import OURS, Effort, Figure, figures_of
from benchmarks.report.token_peers import NOTES, SECRET, token_peers
from benchmarks.tokens import TOKENS, Call, Peer, Token, large_claims, race

from fastbearer import Key, Signer, TokenError, Verifier

SYMMETRIC = ("HS256", "HS384", "HS512")
ASYMMETRIC = ("RS256", "RS512", "PS256", "ES256", "ES384", "ES512", "EdDSA")
SIZES = (2000, 20_000)
CALLS = 100  # in one timing of a small HMAC token
SHAPE = "a list of scopes"


def measure(effort: Effort) -> Iterator[Figure]:
    """Yield the figures of all tables of tokens."""
    for algorithm in SYMMETRIC + ASYMMETRIC:
        yield from _small(algorithm, effort)
    yield from _larger(effort)
    yield from _refused(effort)


def _small(algorithm: str, effort: Effort) -> Iterator[Figure]:
    """Yield verify and sign of the two kinds of tokens that most have."""
    is_hmac = algorithm in SYMMETRIC
    key = Key.from_secret(SECRET, algorithm) if is_hmac else Key.generate(algorithm)
    for token in TOKENS if algorithm == "HS256" else TOKENS[:1]:
        claims = token.claims(0)
        text = Signer(key).sign(claims)
        peers = list(token_peers(algorithm, key, token))
        kind = f"{algorithm}, {len(text)} bytes"
        rounds = effort.of(effort.rounds if is_hmac else effort.rounds // 3)
        calls = 2 if effort.is_quick else CALLS if is_hmac else 10
        verifying = {
            peer.name: (peer.verify, [text] * calls)
            for peer in peers
            if peer.verify is not None and _reads(peer.verify, text, claims)
        }
        signing = {
            peer.name: (peer.sign, [dict(claims)] * calls)
            for peer in peers
            if peer.sign is not None and _writes(peer.sign, key, token)
        }
        for what, raced in (("verify", verifying), ("sign", signing)):
            found = race(raced, rounds)
            yield from figures_of(what, kind, found, "µs", NOTES)


def _larger(effort: Effort) -> Iterator[Figure]:
    """Yield verify and sign of 2 and 20 kB."""
    key = Key.from_secret(SECRET)
    for size in SIZES:
        claims = large_claims(SHAPE, size)
        token = Token("large", size, lambda _: {}, {})
        text = Signer(key).sign(claims)
        peers = list(token_peers("HS256", key, token))
        # The bound on the length is a setting here; ours is 16 KiB by default.
        peers[0] = Peer(OURS, Verifier(key, max_bytes=1 << 16).verify, peers[0].sign)
        raced = {
            peer.name: (peer.verify, [text] * (2 if effort.is_quick else 10))
            for peer in peers
            if peer.verify is not None and _reads(peer.verify, text, claims)
        }
        case = f"HS256, {size // 1000} kB"
        found = race(raced, effort.of(effort.rounds))
        yield from figures_of("verify", case, found, "µs", NOTES)


def refused_tokens(key: Key) -> dict[str, str]:
    """Return what is wrong with it -> a token that nobody should take."""
    claims = TOKENS[0].claims(0)
    signer = Signer(key)
    good = signer.sign(claims)
    other = "A" if good[-10] != "A" else "B"
    none = Signer(key).sign(claims).partition(".")[2]
    return {
        "a changed signature": good[:-10] + other + good[-9:],
        "expired": signer.sign({**claims, "exp": 1}),
        "not yet valid": signer.sign({**claims, "nbf": claims["exp"] - 1}),
        "alg none": "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + none,
        "two segments": good.rpartition(".")[0],
        "not base64url": good[:-10] + "!" + good[-9:],
        "16 kB of one letter": "A" * 16_000,
    }


def _refused(effort: Effort) -> Iterator[Figure]:
    """Yield how long it takes to refuse each of them, the exception included."""
    key = Key.from_secret(SECRET)
    peers = list(token_peers("HS256", key, TOKENS[0]))
    for what, text in refused_tokens(key).items():
        raced: dict[str, tuple[Call, list[Any]]] = {}
        for peer in peers:
            verify = peer.verify
            if verify is not None and (error := _refusal(verify, text)) is not None:
                count = 2 if effort.is_quick else 50
                raced[peer.name] = (_refusing(verify, error), [text] * count)
        assert OURS in raced, f"{what} was taken"
        found = race(raced, effort.of(effort.rounds))
        yield from figures_of("refuse", what, found, "µs", NOTES)


def _refusal(verify: Call, text: str) -> type[Exception] | None:
    """Return what is raised; None where the token is taken."""
    try:
        verify(text)
    except TokenError as error:
        return type(error)
    except Exception as error:
        return type(error)
    return None


def _refusing(verify: Call, error: type[Exception]) -> Call:
    def call(text: str) -> None:
        try:  # as an application does it: a context manager would cost more
            verify(text)
        except error:
            return

    return call


def _reads(verify: Call, text: str, claims: dict[str, Any]) -> bool:
    """Tell whether a library reads a token at all; it must read what is in it."""
    try:
        found = verify(text)
    except Exception:
        return False
    assert found == claims, "other claims"
    return True


def _writes(sign: Call, key: Key, token: Token) -> bool:
    """Tell whether a library signs; what it signs must be right."""
    claims = token.claims(0)
    try:
        made = sign(dict(claims))
    except Exception:
        return False
    checks = token.checks
    verifier = Verifier(key, issuer=checks.get("iss"), audience=checks.get("aud"))
    assert verifier.verify(made) == claims, "other claims"
    return True
