"""The verifiers of one hasher, asked one after another."""

from __future__ import annotations

from .errors import InvalidHashError, PasswordError
from .hash_slots import in_slot
from .utf8 import utf8_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeVar

    from .hash_verifiers import HashVerifier

    T = TypeVar("T")

__all__ = ["VerifierChain"]

MOST_BYTES = 4096


class VerifierChain:
    """Asks verifiers in their order, and keeps to itself what they let slip.

    Whatever one of them raises, or answers but True and False, is an
    `InvalidHashError` that names the verifier and the kind of error, and repeats
    nothing of it: its text may hold a password.

    Args:
        verifiers: Objects like `HashVerifier`.

    Raises:
        TypeError: One of them lacks a method.
    """

    __slots__ = ("_verifiers",)

    def __init__(self, verifiers: Iterable[HashVerifier]) -> None:
        self._verifiers = tuple(verifiers)
        for one in self._verifiers:
            for method in ("identify", "verify"):
                if isinstance(one, type) or not callable(getattr(one, method, None)):
                    raise TypeError("a verifier has the methods identify and verify")

    def find(self, hash: str) -> HashVerifier | None:
        """Return the first verifier that takes the hash for its own."""
        for one in self._verifiers:
            if _answer(one, one.identify, hash):
                return one
        return None

    def identify(self, hash: str) -> str | None:
        """Return the name of the verifier that takes the hash for its own."""
        one = self.find(hash)
        return None if one is None else _name(one)

    def verify(self, one: HashVerifier, password: str | bytes, hash: str) -> bool:
        """Return whether the password made the hash, asked in a slot of hashing.

        What can be hashed in no format matches none, for the same work.
        """
        text = _bytes(password)
        right = in_slot(_answer, one, one.verify, text or b"", hash)
        return right and text is not None

    def decoy(self, one: Any, hash: str) -> str:
        """Return the decoy of a verifier that has any."""
        return _told(one, one.decoy, (hash,), str)

    def is_sole(self, one: HashVerifier, password: str | bytes, hash: str) -> bool:
        """Return whether this password alone verifies, as far as it is known."""
        is_sole = getattr(one, "is_sole", None)
        text = _bytes(password)
        return is_sole is None or text is None or _answer(one, is_sole, text, hash)


def _bytes(password: str | bytes) -> bytes | None:
    """Return a password's bytes, or None where there can be no hash of it."""
    text = utf8_of(password) if isinstance(password, str) else bytes(password)
    return text if text is not None and len(text) <= MOST_BYTES else None


def _answer(one: HashVerifier, method: Callable[..., Any], *args: Any) -> bool:
    return _told(one, method, args, bool)


def _told(
    one: HashVerifier, method: Callable[..., Any], args: tuple[Any, ...], kind: type[T]
) -> T:
    try:
        answer = method(*args)
    except (MemoryError, PasswordError):
        raise
    except Exception as error:
        fault = f"failed: {type(error).__name__}"
    else:
        if isinstance(answer, kind):
            return answer
        if hasattr(answer, "close"):  # a coroutine, which would warn
            answer.close()
        fault = f"gave a {type(answer).__name__}, not a {kind.__name__}"
    # Only here, where no other error is its context.
    raise InvalidHashError(f"the verifier {_name(one)} {fault}")


def _name(one: HashVerifier) -> str:
    name = getattr(one, "name", None)
    return name if isinstance(name, str) else type(one).__name__
