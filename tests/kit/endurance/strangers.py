"""Those who never signed up: with forged, old and broken tokens, and others' users."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable, Sequence
from secrets import token_hex
from typing import NamedTuple

from endurance.accounts import CREATED
from endurance.client import OK, Client
from endurance.issuer import RotatingIssuer
from endurance.ledger import NEITHER, Answer, AwayError, Kind
from endurance.wire import Header, bearer
from handmade_tokens import b64, token
from project import OTHER_SECRET, SECRET

FRONTEND_TASK = Kind("task created, token of Better Auth")
FRONTEND_TASKS = Kind("tasks listed, token of Better Auth")
ISSUERS_TASKS = Kind("tasks listed, token of the issuer")
YOUNG_KEY = Kind("tasks listed, key that was just published")
HEALTH = Kind("healthz", NEITHER)

INVALID = Answer(401, "Invalid token")
EXPIRED = Answer(401, "Token has expired. Please sign in again.")
ABSENT = Answer(401, "Not authenticated")
TWO = Answer(400, "More than one Authorization header")
ISSUERS_USER = "frontend-user"


class Refused(NamedTuple):
    """A kind of request that is refused, whatever state the stores are in.

    Attributes:
        name: In the report.
        headers: Returns those of a request.
        answer: The refusal.
        why: The code and the reason in the log; empty where it says nothing.
    """

    name: str
    headers: Callable[[RotatingIssuer], Sequence[Header]]
    answer: Answer
    why: str = ""

    @property
    def kind(self) -> Kind:
        return Kind(self.name, NEITHER)


def own(secret: str = SECRET, **claims: object) -> str:
    """Return a token as a Better Auth frontend with our secret signs it."""
    now = int(time.time())
    given = {
        "sub": "somebody",
        "email": "ada@example.com",
        "iat": now,
        "exp": now + 600,
    }
    whole = token({**given, **claims})
    if secret == SECRET:
        return whole
    signed, _, _ = whole.rpartition(".")
    mac = hmac.digest(secret.encode(), signed.encode(), "sha256")
    return f"{signed}.{b64(mac)}"


def _changed(whole: str) -> str:
    """Return a token with other claims under the same signature."""
    header, payload, signature = whole.split(".")
    changed = b64(json.dumps({"sub": "root", "exp": 2**33}).encode())
    assert changed != payload
    return f"{header}.{changed}.{signature}"


def _unsigned() -> str:
    header = b64(b'{"alg":"none","typ":"JWT"}')
    return f"{header}.{b64(json.dumps({'sub': 'root', 'exp': 2**33}).encode())}."


def _of_public_key(issuer: RotatingIssuer) -> str:
    """Return a token whose HMAC has the issuer's public key as its secret."""
    return own(issuer.public_text(), iss=issuer.origin, aud=issuer.origin)


def _past() -> int:
    return int(time.time()) - 3600


def _as_bearer(
    make: Callable[[RotatingIssuer], str | bytes],
) -> Callable[[RotatingIssuer], Sequence[Header]]:
    return lambda issuer: bearer(make(issuer))


REFUSED = [
    Refused(
        "forged, another secret",
        _as_bearer(lambda _: own(OTHER_SECRET)),
        INVALID,
        "invalid_signature: signature_wrong",
    ),
    Refused(
        "forged, claims changed",
        _as_bearer(lambda _: _changed(own())),
        INVALID,
        "invalid_signature: signature_wrong",
    ),
    Refused(
        "forged, alg none",
        _as_bearer(lambda _: _unsigned()),
        INVALID,
        "invalid_algorithm: alg_not_keys",
    ),
    Refused(
        "forged, public key as secret",
        _as_bearer(_of_public_key),
        INVALID,
        "invalid_signature: signature_wrong",
    ),
    Refused(
        "forged, key with the issuer's kid",
        _as_bearer(lambda issuer: issuer.signed(issuer.impostor())),
        INVALID,
        "invalid_signature: signature_wrong",
    ),
    Refused(
        "forged, unknown key",
        _as_bearer(lambda issuer: issuer.signed(issuer.stranger())),
        INVALID,
        "unknown_key: kid_unknown",
    ),
    Refused(
        "issuer, another audience",
        _as_bearer(lambda issuer: issuer.signed(aud="https://other.example")),
        INVALID,
        "invalid_audience: aud_wrong (aud)",
    ),
    Refused(
        "expired",
        _as_bearer(lambda _: own(exp=_past())),
        EXPIRED,
        "expired_token: exp_passed (exp)",
    ),
    Refused(
        "expired, of the issuer",
        _as_bearer(lambda issuer: issuer.signed(exp=_past())),
        EXPIRED,
        "expired_token: exp_passed (exp)",
    ),
    Refused(
        "not valid yet",
        _as_bearer(lambda _: own(nbf=int(time.time()) + 3600)),
        INVALID,
        "immature_token: nbf_ahead (nbf)",
    ),
    Refused(
        "without an expiry",
        _as_bearer(lambda _: token({"sub": "somebody"})),
        INVALID,
        "missing_claim: claim_missing (exp)",
    ),
    Refused(
        "malformed, one segment",
        _as_bearer(lambda _: token_hex(30)),
        INVALID,
        "malformed_token: token_not_compact",
    ),
    Refused(
        "malformed, not base64url",
        _as_bearer(lambda _: own() + "!"),
        INVALID,
        "malformed_token: token_base64",
    ),
    Refused(
        "malformed, 20 KB",
        _as_bearer(lambda _: own(sub="x" * 15_000)),
        INVALID,
        "malformed_token: token_too_long",
    ),
    Refused("no token", lambda _: (), ABSENT),
    Refused(
        "another scheme",
        lambda _: [("Authorization", "Basic YWRhOmFkYQ==")],
        ABSENT,
        "not_authenticated: scheme_other",
    ),
    Refused(
        "two tokens",
        lambda _: [*bearer(own()), *bearer(own())],
        TWO,
        "invalid_request: two_headers",
    ),
]


class Stranger:
    """Comes with each kind of what is refused, and as users of others.

    Args:
        client: Asks.
        issuer: The other issuer.
    """

    def __init__(self, client: Client, issuer: RotatingIssuer) -> None:
        self._client = client
        self._issuer = issuer
        self._user = f"frontend-{token_hex(8)}"

    async def round(self) -> None:
        """Send one of each."""
        for one in REFUSED:
            await self.refused(one)
        await self.health()
        await self._frontend()
        await self._of_issuer()

    async def refused(self, one: Refused) -> None:
        """Send what is refused; nothing is known of it but by its refusal."""
        headers = one.headers(self._issuer)
        path = self._client.random.choice(["/api/auth/me", "/somebody/tasks"])
        await self._client.ask(one.kind, "GET", path, one.answer, headers=headers)
        if one.why:
            self._client.ledger.refusals[one.why] += 1

    async def health(self) -> None:
        await self._client.ask(HEALTH, "GET", "/healthz", OK)

    async def _frontend(self) -> None:
        """Work as a user whom a Better Auth frontend has signed in, with our secret."""
        headers, path = bearer(own(sub=self._user)), f"/{self._user}/tasks"
        try:
            await self._client.ask(
                FRONTEND_TASK,
                "POST",
                path,
                CREATED,
                headers=headers,
                body={"title": "a"},
            )
            await self._client.ask(FRONTEND_TASKS, "GET", path, OK, headers=headers)
        except AwayError:
            return

    async def _of_issuer(self) -> None:
        """Come with a token of the issuer's newest key.

        A worker fetches the keys once within the cool-down, so that it may not know one
        that is younger.
        """
        is_known = self._issuer.is_known
        kind = ISSUERS_TASKS if is_known else YOUNG_KEY
        headers = bearer(self._issuer.signed(self._issuer.newest))
        allowed = (OK,) if is_known else (OK, INVALID)
        try:
            _, answer = await self._client.ask(
                kind, "GET", f"/{ISSUERS_USER}/tasks", *allowed, headers=headers
            )
        except AwayError:
            return
        if answer is INVALID:
            self._client.ledger.refusals["unknown_key: kid_unknown"] += 1
