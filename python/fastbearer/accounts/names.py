"""Names that somebody signs in with: e-mail, user name, phone number."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from fastbearer.accounts.emails import (
    EMAIL_LENGTH,
    given_email,
    in_lower_case,
    normalize_email,
    recorded_form,
)
from fastbearer.errors import FastbearerError

__all__ = [
    "NAMES",
    "NAME_TEXTS",
    "PHONE_LENGTH",
    "USERNAME_LENGTH",
    "InvalidNameError",
    "Name",
    "given_name",
    "given_username",
    "listed",
    "name_of",
    "new_name",
    "normalize_phone",
    "normalize_username",
    "recorded_name",
    "wanted_name",
]

Name = Literal["email", "username", "phone"]
NAMES: tuple[Name, ...] = get_args(Name)

USERNAME_LENGTH = 30
USERNAME = re.compile(r"(?!.*\.(?:\.|\Z))(?=.*[a-z])[a-z0-9][a-z0-9_.-]{2,29}")
RECORDED_USERNAME_LENGTH = 255
PHONE_LENGTH = 16  # "+" and 15 digits: ITU-T E.164 6.2.1
PHONE = re.compile(r"\+[1-9][0-9]{7,14}")
WRITTEN_PHONE_LENGTH = 40
BETWEEN_DIGITS = str.maketrans("", "", " .-()/")
NATIONAL_ZERO = "(0)"

NAME_TEXTS: Mapping[Name, str] = {
    "email": f"Email must be a valid address of at most {EMAIL_LENGTH} characters",
    "username": (
        f"User name must be 3 to {USERNAME_LENGTH} letters, digits, hyphens,"
        " underscores and single dots within, with one letter at least"
    ),
    "phone": "Phone number must begin with + and the country's code: +41 44 1234567",
}
"""What to say where one is not in order."""

WORDS: Mapping[Name, str] = {
    "email": "email",
    "username": "user name",
    "phone": "phone number",
}


class InvalidNameError(FastbearerError):
    """Somebody's names are none, too many or not in order.

    Its text may be shown: it repeats nothing that was sent.
    """

    code = "invalid_name"


def normalize_username(text: str) -> str:
    """Return the one form of a user name: in lower case, without the space around it.

    It is of ASCII alone, so that no letter only looks like another, and can neither
    be taken for an e-mail nor for a phone number, with or without its "+"; nor does a
    dot in its end get lost in a sentence.

    Args:
        text: As it was typed, of any length.

    Raises:
        ValueError: It is not 3 to 30 letters, digits, "_", "." and "-", the first
            of them a letter or a digit, one of them a letter, without a dot in the end
            or after another. The message shows no part of the text.
    """
    name = text.strip() if len(text) <= WRITTEN_PHONE_LENGTH else ""
    # Before it is put in lower case: "K" (the Kelvin sign) would become a "k".
    if not name.isascii() or not USERNAME.fullmatch(name.lower()):
        raise ValueError("not a user name")
    return name.lower()


def normalize_phone(text: str) -> str:
    """Return a phone number in its one form, that of E.164: ``+41441234567``.

    Args:
        text: As it was typed, of any length, with the country's code; spaces, dots,
            hyphens, slashes and parentheses are left out.

    Raises:
        ValueError: It is not "+" and 8 to 15 digits, or has a "(0)", which belongs to
            no number. The message shows no part of the text.
    """
    is_short = len(text) <= WRITTEN_PHONE_LENGTH and NATIONAL_ZERO not in text
    short = text if is_short else ""
    phone = short.strip().translate(BETWEEN_DIGITS)
    if not PHONE.fullmatch(phone):
        raise ValueError("not a phone number")
    return phone


def name_of(text: str) -> Name:
    """Return what kind of name a string is, by its shape alone.

    An "@" is in every e-mail and in nothing else, a "+" begins every phone number and
    nothing else: so no string names two users.
    """
    if "@" in text:
        return "email"
    return "phone" if text.lstrip().startswith("+") else "username"


def given_username(text: str) -> str:
    """Return the form of `normalize_username` of a user name that somebody is to have.

    Who got it under other rules must still be able to sign in.

    Raises:
        ValueError: It is empty, longer than 255 characters, or has control characters
            or such without a width.
    """
    name = text.strip() if len(text) <= RECORDED_USERNAME_LENGTH else ""
    name = in_lower_case(name)
    if not name or not name.isprintable():
        raise ValueError("not a user name")
    return name


def given_name(name: Name, text: str) -> str:
    """Return the one form of a name that somebody is to have.

    Raises:
        ValueError: It is not such a name.
    """
    if name == "email":
        return given_email(text)
    return normalize_phone(text) if name == "phone" else given_username(text)


def new_name(name: Name, text: str) -> str:
    """Return the one form of a name that somebody wants to have from now on.

    Raises:
        ValueError: Nobody could be reached by such an e-mail, or it is not such a name.
    """
    if name == "email":
        return normalize_email(text)
    return normalize_phone(text) if name == "phone" else normalize_username(text)


def wanted_name(name: Name, value: Any) -> str:
    """Return what `new_name` does of what a schema has made of a name.

    Raises:
        InvalidNameError: It is no such name; its text says what one is like.
    """
    try:
        return new_name(name, str(value))
    except ValueError:
        raise InvalidNameError(NAME_TEXTS[name]) from None


def listed(names: Sequence[Name], last: str = "or") -> str:
    """Return some kinds of names in words: "email, user name or phone number"."""
    *others, final = (WORDS[name] for name in names)
    return f"{', '.join(others)} {last} {final}" if others else final


def recorded_name(name: Name, text: str) -> str:
    """Return the one form of a name on record; rows of others may have anything.

    What is no such name stays what it is.
    """
    if name == "email":
        return recorded_form(text)
    try:
        return given_name(name, text)
    except ValueError:
        return text
