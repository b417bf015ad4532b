"""Accept-Language, as anybody may write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbearer.accounts.languages import LANGUAGE, MOST_LANGUAGES, languages_of


@pytest.mark.parametrize(
    ("header", "languages"),
    [
        ("", ()),
        ("*", ()),
        ("de", ("de",)),
        ("da, en-gb;q=0.8, en;q=0.7", ("da", "en-gb", "en")),  # RFC 9110 12.5.4
        ("en;q=0.5, de-CH-1996, fr;q=0.501", ("de-CH-1996", "fr", "en")),
        ("en, de", ("en", "de")),
        ("en;q=0, de;q=0.0", ()),
        ("en;q=2, de;q=-1, fr;q=, it;x=1, es;q=0.1234", ()),
        ("en ; Q=1.000 ,\tde\t;q=0.9", ("en", "de")),
        ("en, en;q=0.5", ("en",)),
        (",,;,;q=1,-,en-,-en,abcdefghi,e_n,en\u00e9,\uff45\uff4e", ()),
        ("de," + "x" * 1000, ()),
    ],
)
def test_languages(header: str, languages: tuple[str, ...]) -> None:
    assert languages_of(header) == languages


def test_as_many_as_anybody_reads_are_looked_at() -> None:
    """Whoever asks must not choose how much work it is."""
    written = [f"en-{number}" for number in range(100)]
    assert languages_of(",".join(written)) == tuple(written[:MOST_LANGUAGES])
    assert languages_of("," * (MOST_LANGUAGES - 1) + "de") == ("de",)
    assert languages_of("," * MOST_LANGUAGES + "de") == ()


@given(st.text(alphabet="dEn-;q=0.19,* \t\n\u0660\u00e9"))
def test_whatever_comes_is_a_language_or_left_out(header: str) -> None:
    found = languages_of(header)
    assert len(set(found)) == len(found)
    assert all(LANGUAGE.fullmatch(one) and one in header for one in found)
