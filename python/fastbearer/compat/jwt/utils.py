"""Small things that users of PyJWT call too."""

from __future__ import annotations

import re
from typing import Any

from fastbearer.base64url import base64url_decode as _decode
from fastbearer.base64url import base64url_encode
from fastbearer.compat._shared import der
from fastbearer.utf8 import utf8_of

__all__ = [
    "base64url_decode",
    "base64url_encode",
    "bytes_from_int",
    "bytes_to_number",
    "der_to_raw_signature",
    "force_bytes",
    "from_base64url_uint",
    "is_pem_format",
    "is_ssh_key",
    "number_to_bytes",
    "raw_to_der_signature",
    "to_base64url_uint",
]

LABELS = (
    rb"(?:[A-Z0-9]+ )*(?:CERTIFICATE(?: REQUEST)?|PRIVATE KEY|PUBLIC KEY"
    rb"|DH PARAMETERS|X509 CRL)"
)
PEM_LINE = re.compile(rb"----[- ](BEGIN|END) (" + LABELS + rb")[- ]----")
SSH_KEY_TYPES = (
    *(b"ssh-ed25519", b"ssh-rsa", b"ssh-dss"),
    *(b"ecdsa-sha2-nistp256", b"ecdsa-sha2-nistp384", b"ecdsa-sha2-nistp521"),
)


def force_bytes(value: bytes | str) -> bytes:
    """Return bytes; of a str its UTF-8.

    Raises:
        TypeError: The value is neither.
        ValueError: The text has a lone surrogate.
    """
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise TypeError("Expected a string or bytes value")
    found = utf8_of(value)
    if found is None:
        raise ValueError("The text has a lone surrogate")
    return found


def base64url_decode(input: bytes | str) -> bytes:
    """Decode base64url, with or without padding.

    Raises:
        binascii.Error: The input is not base64url.
    """
    return _decode(force_bytes(input))


def bytes_from_int(val: int, *, bit_length: int | None = None) -> bytes:
    """Return the big-endian bytes of a number, as many as the bits need."""
    bits = val.bit_length() if bit_length is None else bit_length
    return val.to_bytes((bits + 7) // 8, "big")


def to_base64url_uint(val: int, *, bit_length: int | None = None) -> bytes:
    """Return the base64url of a number (RFC 7518 2).

    Raises:
        ValueError: The number is negative.
    """
    if val < 0:
        raise ValueError("Must be a positive integer")
    return base64url_encode(bytes_from_int(val, bit_length=bit_length) or b"\0")


def from_base64url_uint(val: bytes | str) -> int:
    """Return the number that base64url stands for."""
    return int.from_bytes(base64url_decode(val), "big")


def number_to_bytes(num: int, num_bytes: int) -> bytes:
    """Return the big-endian bytes of a number, in at least ``num_bytes``."""
    return num.to_bytes(max(num_bytes, (num.bit_length() + 7) // 8), "big")


def bytes_to_number(string: bytes) -> int:
    """Return the number of big-endian bytes."""
    return int.from_bytes(string, "big")


def is_pem_format(key: bytes) -> bool:
    """Tell whether there is a PEM block, from its first line to its last."""
    begun = set()
    for line in PEM_LINE.finditer(key):
        kind, label = line.groups()
        if kind == b"BEGIN":
            begun.add(label)
        elif label in begun:
            return True
    return False


def is_ssh_key(key: bytes) -> bool:
    """Tell whether it is a public key of SSH."""
    return key.startswith(SSH_KEY_TYPES)


def der_to_raw_signature(der_sig: bytes, curve: Any) -> bytes:
    """Return r and s (RFC 7518 3.4) of an ECDSA signature in DER.

    Args:
        der_sig: The signature.
        curve: One of cryptography's curves.
    """
    return der.raw_signature(der_sig, (curve.key_size + 7) // 8)


def raw_to_der_signature(raw_sig: bytes, curve: Any) -> bytes:
    """Return the DER of r and s.

    Raises:
        ValueError: They do not have the length that the curve wants.
    """
    if len(raw_sig) != 2 * ((curve.key_size + 7) // 8):
        raise ValueError("Invalid signature")
    return der.signature(raw_sig)
