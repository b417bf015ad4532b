"""The rules for new passwords (NIST SP 800-63B-4 3.1.1.2; OWASP ASVS 5.0 6.2)."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from fastbearer.accounts.common_passwords import common_passwords
from fastbearer.errors import PasswordRuleError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fastbearer.fastapi import Settings

__all__ = ["PasswordRules", "forms_of", "normalized"]

COMMON = "Password is too common, or too much like the email"
OWN_NAME = "fastbearer"
LEAST_WORD = 3
"""Characters of a word of the context; initials are everywhere."""

NOT_WORD = re.compile(r"[\W_]+")


class PasswordRules:
    """Judges passwords by the settings.

    Args:
        settings: Asked when needed.
        length: Returns the length of a password, where others count it otherwise.
    """

    def __init__(
        self, settings: Callable[[], Settings], length: Callable[[str], int] = len
    ) -> None:
        self._settings = settings
        self._length = length

    def prepare(self) -> None:
        """Load what the first password would have to wait for.

        Raises:
            ConfigurationError: The list of common passwords is missing.
        """
        settings = self._settings()
        if settings.password_refuse_common:
            common_passwords(settings.password_min_length)

    def check_length(self, password: str) -> None:
        """Judge a password that someone gives to be let in.

        Raises:
            PasswordRuleError: It is longer than any may be.
        """
        most = self._settings().password_max_length
        if self._length(password) > most:
            raise PasswordRuleError(f"Password must be at most {most} characters long")

    def check_new(self, password: str, email: str, *names: str | None) -> None:
        """Judge a password that someone chose.

        Args:
            password: As it was typed.
            email: Its owner's.
            names: Whatever else its owner is called, where there is such a name.

        Raises:
            PasswordRuleError: It breaks a rule.
        """
        settings = self._settings()
        least, most = settings.password_min_length, settings.password_max_length
        length = self._length
        # First the most: to normalise takes more than linear time.
        if length(password) > most or not least <= length(normalized(password)) <= most:
            raise PasswordRuleError(
                f"Password must be {least} to {most} characters long"
            )
        if not settings.password_refuse_common:
            return
        folded = normalized(password).casefold()
        called = [email, *(name for name in names if name)]
        words = set(_words(*called, settings.site_name or "", OWN_NAME))
        is_name = folded in (*map(str.casefold, called), email.partition("@")[0])
        is_common = is_name or folded in common_passwords(least)
        if is_common or _is_made_of(words, folded):
            raise PasswordRuleError(COMMON)


def normalized(password: str) -> str:
    """Return a password in Unicode's form NFC.

    Keyboards differ in how they write an accent (NIST SP 800-63B-4 3.1.1.2).
    """
    return password if password.isascii() else unicodedata.normalize("NFC", password)


def forms_of(password: str) -> list[str]:
    """Return a password in each form of which there may be a hash, NFC first.

    Others hash a password as it was typed, which an Apple device may have done in
    NFD.
    """
    if password.isascii():
        return [password]
    decomposed = unicodedata.normalize("NFD", password)
    return list(dict.fromkeys((normalized(password), password, decomposed)))


def _words(*texts: str) -> Iterator[str]:
    """Yield the words of strings, and each string as one word."""
    for text in texts:
        parts = NOT_WORD.split(text.casefold())
        for word in ("".join(parts), *parts, *re.split(r"\d+", "".join(parts))):
            if len(word) >= LEAST_WORD:
                yield word


def _is_made_of(words: set[str], folded: str) -> bool:
    """Tell whether nothing but digits and signs is left without these words."""
    text = "".join(NOT_WORD.split(folded))
    rest = text
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, "")
    return rest != text and not any(character.isalpha() for character in rest)
