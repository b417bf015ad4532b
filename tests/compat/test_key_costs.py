"""What a key may cost the drop-ins: the limits of the core hold at their doors too.

A JWK may come from a stranger, in a set behind a URL. Nobody must be able to buy
minutes of work with kilobytes of text.
"""

from __future__ import annotations

import base64
import math

import pytest

from bounded_work import said_in_bounds
from fastbearer import Key
from fastbearer.compat import jwt
from fastbearer.compat._shared.primes import primes_of
from fastbearer.compat.jose import jws as jose_jws
from fastbearer.compat.jose.exceptions import JWKError
from rsa_numbers import b64, of_bits

IN_BOUNDS = """
from fastbearer.compat import jwt
from fastbearer.compat.jose import jwk
from fastbearer.compat.jose.exceptions import JWKError
READ = {
    "PyJWT": lambda jwk: jwt.PyJWK(jwk),
    "PyJWT's set": lambda jwk: jwt.PyJWKSet([jwk]),
    "python-jose": lambda data: jwk.construct(data, "RS256"),
}
try:
    READ[data[0]](data[1])
except (jwt.PyJWTError, JWKError) as error:
    print("refused")
else:
    print("accepted")
"""
DOORS = ["PyJWT", "PyJWT's set", "python-jose"]
WIDE = 16384


def told(door: str, members: dict[str, int]) -> str:
    """Return whether a drop-in takes an RSA key, in a process of bounded work."""
    jwk = {name: b64(number) for name, number in members.items()}
    return said_in_bounds(IN_BOUNDS, [door, {"kty": "RSA", **jwk}])


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "members",
    [
        {"n": of_bits(WIDE), "e": of_bits(WIDE - 2), "d": of_bits(WIDE - 2)},
        {"n": of_bits(WIDE), "e": 65537, "d": of_bits(WIDE - 2)},
        {"n": of_bits(WIDE), "e": 65537, "d": 1},
        {"n": of_bits(2048), "e": of_bits(2040), "d": of_bits(2040)},
        {"n": of_bits(2048), "e": 65537, "d": of_bits(500_000)},
        {"n": of_bits(500_000), "e": 65537, "d": of_bits(499_000)},
    ],
    ids=["wide e", "wide d", "d of one", "narrow n", "d beyond n", "n beyond all"],
)
def test_numbers_that_do_not_belong_together_buy_no_work(
    door: str, members: dict[str, int]
) -> None:
    assert told(door, members) == "refused"


def number_of(text: str) -> int:
    """Return the number that a JWK has."""
    return int.from_bytes(base64.urlsafe_b64decode(text + "=="), "big")


def key_of(p: int, q: int, e: int = 65537) -> dict[str, int]:
    """Return the members of an RSA key."""
    d = pow(e, -1, math.lcm(p - 1, q - 1))
    made = {"n": p * q, "e": e, "d": d, "p": p, "q": q}
    return {**made, "dp": d % (p - 1), "dq": d % (q - 1), "qi": pow(q, -1, p)}


GREATEST = key_of(2**4423 - 1, 2**4253 - 1)
"""Mersenne's primes: a key of 8676 bits that takes no search."""


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("names", ["n e d p q dp dq qi", "n e d"])
def test_a_wide_private_key_is_read_without_a_proof_of_its_primes(
    door: str, names: str
) -> None:
    assert told(door, {name: GREATEST[name] for name in names.split()}) == "accepted"


@pytest.mark.parametrize("exponents", [(1279, 607), (4423, 4253)])
@pytest.mark.parametrize("e", [17, 65537, 2**255 - 19])
def test_the_primes_are_those_of_the_key(exponents: tuple[int, int], e: int) -> None:
    p, q = (2**exponent - 1 for exponent in exponents)
    for order in (math.lcm(p - 1, q - 1), (p - 1) * (q - 1)):
        assert primes_of(p * q, e, pow(e, -1, order)) == (p, q)


def test_the_primes_of_a_key_that_somebody_uses() -> None:
    for _ in range(5):
        whole = Key.generate("RS256").to_jwk(private=True)
        numbers = {name: number_of(whole[name]) for name in ("n", "e", "d", "p", "q")}
        p, q = numbers.pop("p"), numbers.pop("q")
        assert primes_of(**numbers) == (max(p, q), min(p, q))


@pytest.mark.parametrize("d", [0, 1, 2, 65537, of_bits(1885)])
def test_another_d_has_no_primes(d: int) -> None:
    assert primes_of((2**1279 - 1) * (2**607 - 1), 65537, d) is None


def test_one_is_no_prime_of_a_key() -> None:
    """The equations alone have p = n and q = 1 among their answers."""
    for n in range(9, 100, 2):
        for d in range(n):
            for e in (1, 3, 5):
                p, q = primes_of(n, e, d) or (0, 0)
                assert (p, q) == (0, 0) or (p * q == n and q > 1)


def test_a_set_has_at_most_256_entries() -> None:
    entry = Key.generate("ES256").to_jwk()
    assert len(jwt.PyJWKSet([entry] * 256).keys) == 256
    with pytest.raises(jwt.PyJWKSetError, match="more than 256"):
        jwt.PyJWKSet([entry] * 257)


def test_a_token_is_tried_with_at_most_256_keys() -> None:
    right, wrong = (f"a secret of {who}, of 32 bytes" for who in ("ours", "theirs"))
    token = jose_jws.sign({"a": 1}, right)
    few, many = [wrong] * 255 + [right], [wrong] * 256 + [right]
    for wrapped in (list, lambda keys: {"keys": keys}):
        assert jose_jws.verify(token, wrapped(few), "HS256") == b'{"a":1}'
        with pytest.raises(JWKError, match="more than 256"):
            jose_jws.verify(token, wrapped(many), "HS256")
