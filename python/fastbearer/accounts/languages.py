"""The languages that somebody wants to read (RFC 9110 12.5.4)."""

import re
from collections.abc import Iterator

__all__ = ["languages_of"]

MOST_CHARACTERS = 1000
MOST_LANGUAGES = 20
LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,8}")  # RFC 4647 2.1
WEIGHT = re.compile(r"[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")


def languages_of(header: str) -> tuple[str, ...]:
    """Return the languages of an ``Accept-Language``, those that are preferred first.

    Args:
        header: Its value, as it came; what is no language in it is left out, what
            comes after 20 commas, and all of one with more than 1000 characters.

    Returns:
        Tags of RFC 5646 like "de-CH", as they are written there; none for "*", which is
        any language, and none of those that are refused (``q=0``).
    """
    if len(header) > MOST_CHARACTERS:
        return ()
    weighted = sorted(_weighted(header), key=lambda one: -one[1])
    return tuple(dict.fromkeys(language for language, _ in weighted))


def _weighted(header: str) -> Iterator[tuple[str, float]]:
    for part in header.split(",", MOST_LANGUAGES)[:MOST_LANGUAGES]:
        language, semicolon, weight = (one.strip(" \t") for one in part.partition(";"))
        found = WEIGHT.fullmatch(weight) if semicolon else None
        if LANGUAGE.fullmatch(language) is None or (semicolon and found is None):
            continue
        value = 1.0 if found is None else float(found[1])
        if value > 0:
            yield language, value
