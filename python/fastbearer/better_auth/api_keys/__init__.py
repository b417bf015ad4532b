"""API keys of Better Auth's plugin ``@better-auth/api-key``, verified where they are.

`fastbearer.better_auth.api_keys.sql` looks them up in its tables, ``.redis`` in its
secondary storage. Nothing here depends on FastAPI; ``fastbearer.fastapi`` has the
dependency.
"""

from fastbearer.better_auth.api_keys.key import APIKey
from fastbearer.better_auth.api_keys.store import APIKeyStore

__all__ = ["APIKey", "APIKeyStore"]
