"""The passwords that attackers try first.

The lists of the package zxcvbn (common passwords, the words of English, names),
which have no entry in common, and what is missing there of the 20,000 most common
passwords that Django ships: ``scripts/common-passwords`` has made
``common_passwords.bin`` of those.
"""

import functools
import hashlib
import importlib.util
import runpy
from importlib import resources
from pathlib import Path

from fastbearer.errors import ConfigurationError

__all__ = ["CommonPasswords", "fingerprint", "zxcvbn_words"]

FINGERPRINT_BYTES = 5
NO_LIST = "PASSWORD_REFUSE_COMMON needs the package zxcvbn"


class CommonPasswords:
    """Common passwords of a length that new ones may have.

    Args:
        least: Characters.

    Raises:
        ConfigurationError: The package zxcvbn is missing.
    """

    def __init__(self, least: int) -> None:
        self._words = zxcvbn_words(least)
        file = resources.files("fastbearer.accounts") / "common_passwords.bin"
        self._fingerprints = file.read_bytes()

    def __contains__(self, folded: str) -> bool:
        """Tell whether a password is common; it comes casefolded."""
        return folded in self._words or self._is_printed(fingerprint(folded))

    def _is_printed(self, wanted: bytes) -> bool:
        """Search the fingerprints, which are in order."""
        low, high = 0, len(self._fingerprints) // FINGERPRINT_BYTES
        while low < high:
            middle = (low + high) // 2
            start = middle * FINGERPRINT_BYTES
            found = self._fingerprints[start : start + FINGERPRINT_BYTES]
            if found == wanted:
                return True
            low, high = (middle + 1, high) if found < wanted else (low, middle)
        return False


@functools.cache
def common_passwords(least: int) -> CommonPasswords:
    """Return the same object for the same length."""
    return CommonPasswords(least)


def fingerprint(folded: str) -> bytes:
    """Return what is kept of a password.

    One in ten million others has the fingerprint of a common one, and is refused.
    """
    data = folded.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=FINGERPRINT_BYTES).digest()


def zxcvbn_words(least: int) -> frozenset[str]:
    """Return the words of zxcvbn's lists with at least that many characters.

    The tables that zxcvbn makes of its lists when it is imported would stay in
    memory.

    Raises:
        ConfigurationError: The package is missing.
    """
    package = importlib.util.find_spec("zxcvbn")
    folders = package.submodule_search_locations if package is not None else None
    if not folders:
        raise ConfigurationError(NO_LIST)
    lists = runpy.run_path(str(Path(folders[0], "frequency_lists.py")))
    return frozenset(
        word
        for words in lists["FREQUENCY_LISTS"].values()
        for word in words
        if len(word) >= least
    )
