"""Reads and writes what a Better Auth frontend sends to a Python backend.

Better Auth (TypeScript) signs opaque tokens and session data in cookies with one
shared secret, and the tokens of its plugin ``jwt()`` with keys of its own. Nothing
here depends on FastAPI; ``fastbearer.fastapi`` has the dependency.
"""

from fastbearer.better_auth.passwords import BetterAuthHash
from fastbearer.better_auth.secrets import DEFAULT_SECRET, Secrets
from fastbearer.better_auth.server import BetterAuth
from fastbearer.better_auth.session import Session
from fastbearer.better_auth.session_store import SessionStore

__all__ = [
    "DEFAULT_SECRET",
    "BetterAuth",
    "BetterAuthHash",
    "Secrets",
    "Session",
    "SessionStore",
]
