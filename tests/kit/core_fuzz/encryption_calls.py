"""Calls of content encryption and key wrapping."""

from __future__ import annotations

from random import Random
from typing import Any

from fastbearer import FastbearerError, InvalidSignatureError, _core

from .calls import Call, Check, calls, holds, raises, returns
from .fixed_keys import KEYS
from .json_texts import mutated
from .odd_values import odd
from .signature_model import HAS_SECOND_OPINION

SIZES = {
    **{f"A{bits}GCM": (bits // 8, 12) for bits in (128, 192, 256)},
    **{f"A{bits}CBC-HS{2 * bits}": (bits // 4, 16) for bits in (128, 192, 256)},
}
NAMES = (*SIZES, "A128GCM", "nothing", "")
LENGTHS = (0, 1, 15, 16, 17, 300)


@calls("aead_sizes", ValueError, weight=1)
def aead_sizes(dice: Random) -> Call:
    name = dice.choice(NAMES)
    check = returns(SIZES[name]) if name in SIZES else raises(ValueError)
    return Call(_core.aead_sizes, (name,), check=check)


def material(dice: Random, name: str) -> tuple[bytes, bytes, bytes, bytes]:
    key, iv = SIZES.get(name, (16, 12))
    if dice.random() < 0.1:
        key += dice.choice((-1, 1))
    text = dice.randbytes(dice.choice(LENGTHS))
    return dice.randbytes(key), dice.randbytes(iv), dice.randbytes(5), text


def second_seal(name: str, parts: tuple[bytes, ...]) -> tuple[bytes, bytes] | None:
    """Return what `cryptography` makes of it, where it has that form."""
    if not HAS_SECOND_OPINION or not name.endswith("GCM"):
        return None
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    key, iv, aad, text = parts
    made = AESGCM(key).encrypt(iv, text, aad)
    return made[:-16], made[-16:]


@calls("aead_seal", ValueError)
def aead_seal(dice: Random) -> Call:
    name = dice.choice(NAMES)
    parts = material(dice, name)

    def is_right(made: tuple[bytes, bytes]) -> bool:
        key, iv, aad, text = parts
        opened = _core.aead_open(name, key, iv, aad, *made)
        return opened == text and made == (second_seal(name, parts) or made)

    right = name in SIZES and len(parts[0]) == SIZES[name][0]
    check = holds(is_right) if right else raises(ValueError)
    return Call(_core.aead_seal, (name, *parts), {}, check, (parts[0], parts[3]))


@calls("aead_open", ValueError, InvalidSignatureError, weight=4)
def aead_open(dice: Random) -> Call:
    name = dice.choice([*SIZES])
    key, iv, aad, text = material(dice, name)
    key = key[: SIZES[name][0]].ljust(SIZES[name][0], b"\0")
    cipher, tag = _core.aead_seal(name, key, iv, aad, text)
    right = [key, iv, aad, cipher, tag]
    wrong = [*right]
    if dice.random() < 0.7:
        at = dice.randrange(5)
        wrong[at] = mutated(dice, wrong[at])
    check: Check = returns(text)
    if wrong != right:
        check = raises(ValueError, InvalidSignatureError)
    return Call(_core.aead_open, (name, *wrong), {}, check, (key, text))


@calls("aes_wrap", FastbearerError)
def aes_wrap(dice: Random) -> Call:
    kek = dice.randbytes(dice.choice((16, 24, 32, 15)))
    key = dice.randbytes(dice.choice((16, 32, 64, 8, 7, 4096, 4104)))

    def check(made: Any, error: BaseException | None) -> str | None:
        if error is not None:
            fits = len(kek) in (16, 24, 32) and len(key) in (16, 32, 64)
            return "should be wrapped" if fits else None
        return None if _core.aes_unwrap(kek, made) == key else "is not unwrapped again"

    return Call(_core.aes_wrap, (kek, key), {}, check, (kek, key))


@calls("aes_unwrap", FastbearerError)
def aes_unwrap(dice: Random) -> Call:
    kek, key = dice.randbytes(16), dice.randbytes(32)
    made = _core.aes_wrap(kek, key)
    wrong = mutated(dice, made) if dice.random() < 0.6 else made
    check = returns(key) if wrong == made else raises(FastbearerError)
    return Call(_core.aes_unwrap, (kek, wrong), {}, check, (kek, key))


RSA = KEYS["RS256"]
RSA_LIKE = (RSA, RSA.public(), KEYS["PS256"], KEYS["HS256"], KEYS["ES256"])


@calls("rsa_oaep_seal", FastbearerError)
def rsa_oaep_seal(dice: Random) -> Call:
    text, wide = (
        dice.randbytes(dice.choice((0, 1, 32, 190, 191, 300))),
        dice.random() < 0.5,
    )
    key = dice.choice(RSA_LIKE)

    def check(made: Any, error: BaseException | None) -> str | None:
        if error is not None:
            fits = len(text) <= 190 and key in RSA_LIKE[:2]
            return "should be sealed" if fits else None
        is_same = _core.rsa_oaep_open(RSA, wide, made) == text
        return None if is_same else "is not opened again"

    return Call(_core.rsa_oaep_seal, (key, wide, text), {}, check, (text,))


@calls("rsa_oaep_open", FastbearerError)
def rsa_oaep_open(dice: Random) -> Call:
    text, wide = dice.randbytes(32), dice.random() < 0.5
    made = _core.rsa_oaep_seal(RSA, wide, text)
    wrong = mutated(dice, made) if dice.random() < 0.6 else made
    check = returns(text) if wrong == made else raises(InvalidSignatureError)
    args = (RSA, wide, wrong)
    if dice.random() < 0.2:
        args = (dice.choice((*RSA_LIKE[1:], odd())), wide, wrong)
        return Call(_core.rsa_oaep_open, args, secrets=(text,))
    return Call(_core.rsa_oaep_open, args, {}, check, (text,))
