"""The warnings of PyJWT."""

__all__ = ["InsecureKeyLengthWarning", "RemovedInPyjwt3Warning"]


class RemovedInPyjwt3Warning(DeprecationWarning):
    """An argument that does nothing."""


class InsecureKeyLengthWarning(UserWarning):
    """A key that is shorter than it should be (RFC 7518 3.2, 3.3)."""
