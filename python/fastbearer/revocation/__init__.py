"""Tokens that are no longer good, though they have not expired.

A token is revoked by its id until it expires, and all tokens of a user by a
time before which none of theirs was issued (ASVS 5.0 7.4.1).
"""

from fastbearer.revocation.memory import MemoryRevocations
from fastbearer.revocation.protocol import RevocationStore, revocation_id

__all__ = ["MemoryRevocations", "RevocationStore", "revocation_id"]
