"""passlib 1.7, as its users know it, over fastbearer's core."""

__version__ = "1.7.4"
__all__ = ["context", "exc", "hash"]

from fastbearer.compat.passlib import context, exc, hash
