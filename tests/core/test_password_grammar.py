"""The grammar of password hashes, text by text, beside what was agreed on.

After a change that is meant, from the root of the project::

    .venv/bin/python tests/core/test_password_grammar.py \
        > tests/core/password_grammar.txt
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from fastbearer import InvalidHashError, PasswordHash, _core

RECORD = Path(__file__).with_name("password_grammar.txt")
MUTATIONS = 300

B64 = "c29tZXNhbHRzb21lc2FsdA"
HASHERS = [
    PasswordHash("argon2id", time_cost=1, memory_cost=8, parallelism=1),
    PasswordHash("bcrypt", rounds=4),
    PasswordHash("scrypt", n=16, r=8, p=1),
]

SEEDS = [
    f"$argon2id$v=19$m=8,t=1,p=1${B64}${'A' * 43}",
    f"$argon2id$v=19$m=65536,t=3,p=4${B64}${'A' * 43}",
    f"$argon2id$v=19$m=8,t=1,p=1${'A' * 86}${'A' * 171}",
    f"$argon2id$m=8,t=1,p=1$c29tZXNhbHQ${'A' * 22}",
    f"$argon2i$v=16$m=16,t=2,p=2${B64}${'A' * 43}",
    f"$argon2d$v=19$m=2097152,t=4,p=64${B64}$AAAAAA",
    f"$2b$04$abcdefghijklmnopqrstuu{'A' * 31}",
    f"$2a$16$abcdefghijklmnopqrstu.{'.' * 31}",
    f"$2y$12$abcdefghijklmnopqrstuu{'z' * 31}",
    f"$2x$05$abcdefghijklmnopqrstuu{'9' * 31}",
    "$2b$04$abcdefghijklmnopqrstuu",
    f"$scrypt$ln=4,r=8,p=1${B64}${'A' * 43}",
    f"$scrypt$ln=20,r=8,p=1$c2FsdA${'A' * 43}",
    f"$scrypt$ln=14,r=8,p=128$${'A' * 43}",
    f"$pbkdf2-sha256$29000$c2FsdA${'A' * 43}",
    f"$pbkdf2-sha512$10000000$./AA${'.' * 86}",
    f"{'0123456789abcdef' * 2}:{'0' * 128}",
    f"argon2$argon2id$v=19$m=102400,t=2,p=8${B64}${'A' * 43}",
    f"argon2$argon2i$m=512,t=2,p=2${B64}${'A' * 22}",
    f"bcrypt$$2b$12$abcdefghijklmnopqrstuu{'A' * 31}",
    f"bcrypt_sha256$$2b$12$abcdefghijklmnopqrstuu{'A' * 31}",
    f"scrypt$16384$salt$8$1${'A' * 85}A==",
    f"pbkdf2_sha256$600000$salt${'A' * 43}=",
    f"scrypt:32768:8:1$salt${'0' * 128}",
    f"pbkdf2:sha256:600000$salt${'0' * 64}",
    f"pbkdf2:sha512:9$salt${'f' * 128}",
    f"$pepper$1$argon2id$v=19$m=8,t=1,p=1${B64}${'A' * 43}",
    "",
]
CHARACTERS = "$.,:=+-/_!~ \0\n09AZaz1234568abcdefmtprvxyu" + "\u00e9"
WORDS = [
    *("$argon2id$", "$argon2", "$2b$", "$2$", "$scrypt$", "scrypt$", "scrypt:"),
    *("argon2", "bcrypt$", "bcrypt_sha256$", "pbkdf2_sha256$", "$pbkdf2-sha256$"),
    *("pbkdf2:sha256:", "pbkdf2:sha512:", "v=19$", "v=16$", "m=8,t=1,p=1", "ln=4"),
    *("$", "=", "==", "0", "A" * 43, "0" * 128, "4294967296", "999999999"),
]


def changed(text: str, chance: random.Random) -> str:
    """Return a text with one change."""
    start = chance.randrange(len(text) + 1)
    end = min(len(text), start + chance.choice([0, 1, 1, 1, 2, 5]))
    kind = chance.randrange(6)
    if kind == 0:
        return text[:start] + text[end:]
    if kind == 1:
        return text[:start] + chance.choice(CHARACTERS) + text[end:]
    if kind == 2:
        return text[:start] + chance.choice(WORDS) + text[end:]
    if kind == 3:
        return text[:start]
    if kind == 4:  # another number
        numbers = [at for at, one in enumerate(text) if one.isdigit()]
        if not numbers:
            return text
        at = chance.choice(numbers)
        return text[:at] + str(chance.randrange(100)) + text[at + 1 :]
    other = chance.choice(SEEDS)
    return text[:start] + other[chance.randrange(len(other) + 1) :]


def corpus(seed: int) -> Iterator[str]:
    """Yield a seed and its mutations, the same ones at every run."""
    chance = random.Random(seed)
    text = SEEDS[seed]
    yield text
    for _ in range(MUTATIONS):
        mutation = changed(text, chance)
        yield changed(mutation, chance) if chance.random() < 0.3 else mutation


def verdict(text: str) -> str:
    """Return the format of a hash and who would renew it; or why it is none."""
    try:
        scheme = HASHERS[0].identify(text)
    except InvalidHashError as error:
        return {"not": "-", "a": "!", "the": "$"}[str(error).partition(" ")[0]]
    renewed = sum(
        hasher.needs_rehash(text) << place for place, hasher in enumerate(HASHERS)
    )
    return f"({scheme} {renewed})"


def record() -> Iterator[str]:
    for seed in range(len(SEEDS)):
        yield "".join(verdict(text) for text in corpus(seed))


@pytest.mark.parametrize("seed", range(len(SEEDS)))
def test_the_grammar_is_what_was_agreed_on(seed: int) -> None:
    before = RECORD.read_text().split("\n")[seed]
    assert "".join(verdict(text) for text in corpus(seed)) == before


def test_the_corpus_has_something_of_everything() -> None:
    verdicts = [verdict(text) for seed in range(len(SEEDS)) for text in corpus(seed)]
    assert len(set(verdicts)) >= 20
    for refusal in "-!$":
        assert verdicts.count(refusal) > 20


def test_bytes_are_read_as_text_is() -> None:
    for seed in range(len(SEEDS)):
        for text in corpus(seed):
            for given in (text, text.encode()):
                try:
                    name = _core.password_scheme(given)
                except InvalidHashError:
                    name = ""
                if given is text:
                    expected = name
                assert name == expected


SALT_IS_TEXT = ("salt$", "0123456789abcdef")
"""In seeds of formats whose salt may be any character."""


@pytest.mark.parametrize(
    "seed", [seed for seed in SEEDS if not any(salt in seed for salt in SALT_IS_TEXT)]
)
def test_a_nul_is_a_character_of_no_hash(seed: str) -> None:
    """Nor is it a mark of the end, or of a part that is missing."""
    spoiled = [seed[:at] + "\0" + seed[at + 1 :] for at in range(len(seed))]
    spoiled += [seed[:at] + "\0" + seed[at:] for at in range(len(seed) + 1)]
    for text in spoiled:
        with pytest.raises(InvalidHashError):
            _core.password_parts(text)


if __name__ == "__main__":
    print("\n".join(record()))
