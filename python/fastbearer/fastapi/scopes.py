"""What a scope is (RFC 6749 3.3)."""

__all__ = ["is_scope"]


def is_scope(scope: object) -> bool:
    """Tell whether it is one.

    That is printable ASCII, without spaces, quotation marks and backslashes.
    """
    return (
        isinstance(scope, str)
        and scope.isascii()
        and scope.isprintable()
        and bool(scope)
        and not set(scope) & set(' "\\')
    )
