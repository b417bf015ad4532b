"""PEM in any layout: other packages accept what RFC 7468 calls lax.

Strings from environment variables are in one line, indented, or have other line ends;
one string may have several keys and certificates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["CERTIFICATES", "PRIVATE", "PUBLIC", "first_block"]

BEGIN = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----")
BLOCKS_MAX = 100
LINE = 64

PUBLIC = (b"PUBLIC KEY", b"RSA PUBLIC KEY")
PRIVATE = (
    *(b"PRIVATE KEY", b"RSA PRIVATE KEY", b"EC PRIVATE KEY"),
    b"ENCRYPTED PRIVATE KEY",
)
CERTIFICATES = (b"CERTIFICATE", b"X509 CERTIFICATE")


def first_block(text: bytes, *kinds: tuple[bytes, ...]) -> bytes | None:
    """Return the first block of the first kind that is found, in the usual layout.

    Args:
        text: Any string.
        kinds: Labels; those of the preferred kind come first.
    """
    blocks = list(_blocks(text))
    for labels in kinds:
        for label, content in blocks:
            if label in labels:
                return _written(label, content)
    return None


def _blocks(text: bytes) -> Iterator[tuple[bytes, bytes]]:
    for number, found in enumerate(BEGIN.finditer(text)):
        if number == BLOCKS_MAX:
            return
        label = found[1]
        end = text.find(b"-----END " + label + b"-----", found.end())
        if end >= 0:
            yield label, b"".join(text[found.end() : end].split())


def _written(label: bytes, content: bytes) -> bytes:
    lines = [content[at : at + LINE] for at in range(0, len(content), LINE)]
    return b"\n".join(
        [
            b"-----BEGIN " + label + b"-----",
            *lines,
            b"-----END " + label + b"-----",
            b"",
        ]
    )
