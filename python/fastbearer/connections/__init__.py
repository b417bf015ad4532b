"""How servers are reached, and that one that is away is a `StoreUnavailableError`.

Nothing is imported here: each module needs the extra of its own server.
"""

__all__ = ["KEY_PREFIX"]

KEY_PREFIX = "fastbearer:"
"""What the name of each key in Redis begins with: so ``~fastbearer:*`` is enough."""
