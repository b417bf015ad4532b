"""Names that somebody signs in with: e-mail, user name, phone number."""

import re
from typing import Literal, get_args

from fastbearer.accounts.emails import given_email, recorded_form

__all__ = [
    "NAMES",
    "PHONE_LENGTH",
    "USERNAME_LENGTH",
    "Name",
    "given_name",
    "name_of",
    "normalize_phone",
    "normalize_username",
    "recorded_name",
]

Name = Literal["email", "username", "phone"]
NAMES: tuple[Name, ...] = get_args(Name)

USERNAME_LENGTH = 30
USERNAME = re.compile(r"[a-z0-9][a-z0-9_.-]{2,29}")
PHONE_LENGTH = 16  # "+" and 15 digits: ITU-T E.164 6.2.1
PHONE = re.compile(r"\+[1-9][0-9]{7,14}")
WRITTEN_PHONE_LENGTH = 40
BETWEEN_DIGITS = str.maketrans("", "", " .-()/")


def normalize_username(text: str) -> str:
    """Return the one form of a user name: in lower case, without the space around it.

    It is of ASCII alone, so that no letter only looks like another, and can neither
    be taken for an e-mail nor for a phone number.

    Args:
        text: As it was typed, of any length.

    Raises:
        ValueError: It is not 3 to 30 letters, digits, "_", "." and "-", the first
            of them a letter or a digit. The message shows no part of the text.
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
        ValueError: It is not "+" and 8 to 15 digits. The message shows no part of
            the text.
    """
    short = text if len(text) <= WRITTEN_PHONE_LENGTH else ""
    phone = short.strip().translate(BETWEEN_DIGITS)
    if not PHONE.fullmatch(phone):
        raise ValueError("not a phone number")
    return phone


def name_of(text: str) -> Name:
    """Return what kind of name a text is, by its shape alone.

    An "@" is in every e-mail and in nothing else, a "+" begins every phone number and
    nothing else: so no text names two users.
    """
    if "@" in text:
        return "email"
    return "phone" if text.lstrip().startswith("+") else "username"


def given_name(name: Name, text: str) -> str:
    """Return the one form of a name that somebody is to have.

    Raises:
        ValueError: It is not such a name.
    """
    if name == "email":
        return given_email(text)
    return normalize_phone(text) if name == "phone" else normalize_username(text)


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
