"""An issuer with the keys of Better Auth's plugin ``jwt()``, which rotate."""

from __future__ import annotations

import time
from typing import Any

from fastbearer import Key, Signer
from key_server import KeyServer, serving

ALGORITHM = "EdDSA"
COOLDOWN_SECONDS = 10.0
"""Within which a worker fetches the keys once, whatever tokens say."""


class RotatingIssuer:
    """Serves its keys, and signs with the newest.

    A new key is published and signs at once; the one before goes at the next rotation.

    Attributes:
        rotations: How many there have been.
        retired: A token of each key that is not published any more.
    """

    def __init__(self) -> None:
        self.rotations = 0
        self.retired: list[str] = []
        self._former: Key | None = None
        self._key = self._made()
        self._published = float("-inf")  # before any worker has fetched them
        self._server = KeyServer(serving(self._key))

    @property
    def origin(self) -> str:
        return self._server.origin

    @property
    def is_known(self) -> bool:
        """Whether a worker has the newest key, or may fetch it when it meets it."""
        return time.monotonic() > self._published + COOLDOWN_SECONDS

    @property
    def fetches(self) -> int:
        return self._server.hits

    def __enter__(self) -> RotatingIssuer:
        self._server.__enter__()
        return self

    def __exit__(self, *failure: object) -> None:
        self._server.__exit__(*failure)

    def rotate(self) -> None:
        """Publish another key; the one before the last goes."""
        if self._former is not None:
            self.retired.append(self.signed(self._former))
        self._former, self._key = self._key, self._made()
        self._server.behave = serving(
            self._former, self._key, Cache_Control=f"max-age={COOLDOWN_SECONDS:.0f}"
        )
        self._published = time.monotonic()
        self.rotations += 1

    def signed(self, key: Key | None = None, **claims: Any) -> str:
        """Return a token.

        Args:
            key: In place of the newest that every worker knows, or can fetch.
            claims: In place of the usual ones.
        """
        now = int(time.time())
        given = {
            "sub": "frontend-user",
            "email": "grace@example.com",
            "iss": self.origin,
            "aud": self.origin,
            "iat": now,
            "exp": now + 3600,
            **claims,
        }
        return Signer(key or self._known).sign(given)

    @property
    def newest(self) -> Key:
        """The key that was published last, known or not."""
        return self._key

    @property
    def _known(self) -> Key:
        return self._key if self.is_known or self._former is None else self._former

    def public_text(self) -> str:
        """Return the public key, as anybody can have it."""
        return self._known.public().to_pem()

    def impostor(self) -> Key:
        """Return another key that calls itself as the known one does."""
        return Key.generate(ALGORITHM, kid=self._known.kid)

    def stranger(self) -> Key:
        """Return a key that nobody has heard of."""
        return self._made()

    def _made(self) -> Key:
        return Key.generate(ALGORITHM, kid=Key.generate(ALGORITHM).thumbprint())
