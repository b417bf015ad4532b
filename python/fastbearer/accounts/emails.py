"""E-mail addresses: the form they are kept in, and when two are one person's."""

import secrets
import unicodedata

import idna
from email_validator import EmailNotValidError, validate_email

__all__ = [
    "EMAIL_LENGTH",
    "given_email",
    "in_lower_case",
    "is_same_email",
    "nobodys_email",
    "normalize_email",
    "recorded_form",
    "spellings",
]

EMAIL_LENGTH = 254  # RFC 5321 4.5.3.1.3, as RFC 3696 erratum 1690 counts it
LOCAL_BYTES = 64  # RFC 5321 4.5.3.1.1
LEAST_RANDOM = 12  # characters

PRIVATE_DOMAINS = frozenset({"localhost", "local", "test"})
"""Top-level names of intranets and test beds (RFC 6761, RFC 6762).

The validator refuses them whatever it is told, and people have mail there.
"""
PUBLIC_SUFFIX = ".example"
"""What such a name is given while it is validated."""


def normalize_email(text: str) -> str:
    """Return the form in which e-mails are kept, compared and shown.

    Without the white space around it, in lower case and in Unicode's form NFC
    (RFC 6532 3.1): mailbox names that differ only in case belong to one person
    nearly everywhere (RFC 5321 2.4 leaves that to the receiving host). The
    domain is in ASCII, as DNS has it (RFC 5890: ``xn--bcher-kva.example``).
    Letters that only look alike stay apart.

    Internationalized local parts (RFC 6531, SMTPUTF8) are taken on purpose:
    who has such a mailbox has no other name for it.

    Args:
        text: As it was typed, of any length.

    Raises:
        ValueError: It is longer than 254 characters, or not a local part of at
            most 64 bytes that is a dot-atom (RFC 5322 3.2.3), "@" and a domain
            name. A quoted local part, a display name and a domain literal are
            refused as well. The message shows no part of the text.
    """
    email = _folded(text)
    local, _, domain = (email or "").rpartition("@")
    top = domain.rpartition(".")[2]
    if top.isdigit() or len(local.encode(errors="replace")) > LOCAL_BYTES:
        raise ValueError("not an e-mail address")  # 192.0.2.1 is no domain name
    suffix = PUBLIC_SUFFIX if top in PRIVATE_DOMAINS else ""
    try:
        parts = validate_email(
            f"{local}@{domain}{suffix}",
            allow_smtputf8=True,
            allow_quoted_local=False,
            allow_domain_literal=False,
            allow_display_name=False,
            globally_deliverable=False,
            check_deliverability=False,
        )
    except EmailNotValidError:
        raise ValueError("not an e-mail address") from None
    found = f"{parts.local_part}@{parts.ascii_domain.removesuffix(suffix)}".lower()
    if len(found.encode()) > EMAIL_LENGTH:
        raise ValueError("not an e-mail address")
    return found


def given_email(text: str) -> str:
    """Return the form of `normalize_email` of an e-mail that somebody is to have.

    Who signed up under other rules must still be able to sign in: what could not be
    registered today is judged but coarsely. No message goes to such an address.

    Raises:
        ValueError: It is longer than 254 characters, or not two parts without
            spaces and control characters around one "@".
    """
    email = _folded(text)
    local, at, domain = (email or "").partition("@")
    whole = bool(local and at and domain) and "@" not in domain
    if email is None or not whole or " " in email or not email.isprintable():
        raise ValueError("not an e-mail address")
    return recorded_form(email)


def is_same_email(recorded: object, email: str) -> bool:
    """Tell whether an e-mail on record is the one that was typed.

    This decides who somebody is. What a database calls equal may be more: a
    collation that ignores case, accents or spaces at the end, or ``lower('İ')``.
    Whoever looks users up by e-mail asks here about each row that was found.

    Args:
        recorded: What a row has.
        email: In the form of `normalize_email`.
    """
    return isinstance(recorded, str) and recorded_form(recorded) == email


def recorded_form(recorded: str) -> str:
    """Return the form of `normalize_email` of an e-mail on record.

    Rows that others made may have anything: what is no address stays what it is.
    """
    email = _folded(recorded)
    if email is None:
        return recorded
    local, at, domain = email.rpartition("@")
    return f"{local}{at}{_in_ascii(domain)}"


def spellings(email: str) -> tuple[str, ...]:
    """Return the forms in lower case in which a row may have an e-mail.

    Args:
        email: In the form of `normalize_email`.
    """
    local, _, domain = email.rpartition("@")
    found = [email]
    if "xn--" in domain:
        found.append(f"{local}@{_shown(domain)}")
    found += [unicodedata.normalize("NFD", one) for one in found]
    return tuple(dict.fromkeys(found))


def _folded(text: str) -> str | None:
    """Return a string in lower case and NFC, or None where it is too long.

    Normalization takes quadratic time: the length is judged before it.
    """
    text = text.strip()
    if len(text) > EMAIL_LENGTH:
        return None
    return in_lower_case(text)


def in_lower_case(text: str) -> str:
    """Return a string in lower case and NFC, which takes quadratic time."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())


def _in_ascii(domain: str) -> str:
    if domain.isascii():
        return domain
    try:
        return idna.encode(domain, uts46=True).decode().lower()
    except (idna.IDNAError, UnicodeError):
        return domain


def _shown(domain: str) -> str:
    try:
        return idna.decode(domain)
    except (idna.IDNAError, UnicodeError):
        return domain


def nobodys_email(email: str) -> str:
    """Return an e-mail of the same domain that nobody has: it is random.

    It is as long as the other, or has more of a local part where that is too short to
    be random. So it is kept wherever the other is, as far as can be.

    Args:
        email: In the form of `normalize_email`.
    """
    local, _, domain = email.rpartition("@")
    room = EMAIL_LENGTH - len(domain) - len("@")
    length = max(len(local), min(LEAST_RANDOM, room))
    return f"{secrets.token_hex(LOCAL_BYTES)[:length]}@{domain}"
