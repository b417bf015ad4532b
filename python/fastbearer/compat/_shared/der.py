"""As much DER (X.690) as other forms of private keys and signatures take."""

from __future__ import annotations

import base64

__all__ = ["pem", "pem_content", "pkcs1", "raw_signature", "sec1", "signature"]

INTEGER, BIT_STRING, OCTET_STRING, SEQUENCE, CURVE = 0x02, 0x03, 0x04, 0x30, 0xA0
LINE = 64


def pem(label: str, content: bytes) -> bytes:
    """Return PEM (RFC 7468)."""
    text = base64.b64encode(content).decode("ascii")
    lines = [text[at : at + LINE] for at in range(0, len(text), LINE)]
    return "\n".join(
        [f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]
    ).encode("ascii")


def pem_content(text: str) -> bytes:
    """Return the bytes of a PEM of our own."""
    return base64.b64decode("".join(text.strip().split("\n")[1:-1]))


def pkcs1(pkcs8: bytes) -> bytes:
    """Return the RSAPrivateKey (RFC 8017 A.1.2) within a PKCS #8 key."""
    return _parts(_parts(pkcs8)[SEQUENCE][-1])[OCTET_STRING][0]


def sec1(pkcs8: bytes) -> bytes:
    """Return the ECPrivateKey (RFC 5915 3), with its curve, of a PKCS #8 key."""
    outer = _parts(_parts(pkcs8)[SEQUENCE][-1])
    algorithm = outer[SEQUENCE][0]
    curve = algorithm[_end(algorithm, 0) :]
    inner = _elements(_parts(outer[OCTET_STRING][0])[SEQUENCE][0])
    version, secret, *rest = inner
    public = [element for element in rest if element[0] == 0xA1]
    return _wrap(SEQUENCE, b"".join([version, secret, _wrap(CURVE, curve), *public]))


def signature(raw: bytes) -> bytes:
    """Return an ECDSA signature as a SEQUENCE of r and s (RFC 3279 2.2.3)."""
    half = len(raw) // 2
    return _wrap(SEQUENCE, _integer(raw[:half]) + _integer(raw[half:]))


def raw_signature(signature: bytes, size: int) -> bytes:
    """Return r and s, each in ``size`` bytes (RFC 7518 3.4).

    Raises:
        OverflowError: A number is greater.
    """
    numbers = _parts(_parts(signature)[SEQUENCE][0])[INTEGER]
    return b"".join(int.from_bytes(one, "big").to_bytes(size, "big") for one in numbers)


def _integer(number: bytes) -> bytes:
    content = number.lstrip(b"\0") or b"\0"
    return _wrap(INTEGER, b"\0" + content if content[0] & 0x80 else content)


def _elements(content: bytes) -> list[bytes]:
    found, start = [], 0
    while start < len(content):
        end = _end(content, start)
        found.append(content[start:end])
        start = end
    return found


def _parts(content: bytes) -> dict[int, list[bytes]]:
    """Return the contents of the elements, by their tags."""
    found: dict[int, list[bytes]] = {}
    for element in _elements(content):
        size = _end(element, 0)
        found.setdefault(element[0], []).append(element[_header(element) : size])
    return found


def _header(element: bytes) -> int:
    return 2 if element[1] < 0x80 else 2 + (element[1] & 0x7F)


def _end(content: bytes, start: int) -> int:
    length = content[start + 1]
    if length < 0x80:
        return start + 2 + length
    first = start + 2
    last = first + (length & 0x7F)
    return last + int.from_bytes(content[first:last], "big")


def _wrap(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content
