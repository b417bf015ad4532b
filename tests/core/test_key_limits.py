"""What a key may cost before it is believed.

Work is counted, or bounded by CPU seconds of a process of its own (which are
no wall clock): whoever hands over a key must not be able to buy minutes of
work with kilobytes of text.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from bounded_work import said_in_bounds
from fastbearer import (
    InvalidKeyError,
    InvalidSignatureError,
    Key,
    KeySet,
    Signer,
    UnknownKeyError,
    Verifier,
    _core,
)
from fastbearer import keys as keys_module
from rsa_numbers import b64, of_bits

IN_BOUNDS = """
from fastbearer import InvalidKeyError, Key
how, data = data
try:
    if how == "jwk":
        Key.from_jwk(data)
    else:
        Key.from_der(bytes.fromhex(data), password="x")
except InvalidKeyError as error:
    print(error)
else:
    print("accepted")
"""


def answer(how: str, data: Any) -> str:
    """Return what is said of a key, by a process that may not work long."""
    return said_in_bounds(IN_BOUNDS, [how, data])


@cache
def ec_key() -> Key:
    return Key.generate("ES256")


def openssl(*arguments: str, data: bytes) -> bytes:
    run = subprocess.run(
        ["openssl", *arguments], input=data, capture_output=True, check=True
    )
    return run.stdout


def sealed(*options: str) -> bytes:
    """Return a PKCS#8 key in DER that the password "x" opens."""
    pem = ec_key().to_pem(private=True).encode()
    form = ["-topk8", "-outform", "DER", "-passout", "pass:x"]
    return openssl("pkcs8", *form, *options, data=pem)


def changed(der: bytes, old: bytes, new: bytes) -> bytes:
    assert der.count(old) == 1 and len(old) == len(new)
    return der.replace(old, new)


# --- texts --------------------


@pytest.mark.parametrize("read", [Key.from_pem, Key.from_der, Key.from_jwk])
def test_a_text_of_more_than_64_kib_is_not_read(read: Callable[..., Key]) -> None:
    with pytest.raises(InvalidKeyError, match="longer"):
        read(b" " * 65537)


def test_a_key_in_a_text_of_64_kib_is_read() -> None:
    pem = ec_key().to_pem()
    assert Key.from_pem(pem.rjust(65536, "\n")).thumbprint() == ec_key().thumbprint()
    jwk = json.dumps(ec_key().to_jwk())
    assert Key.from_jwk(jwk.ljust(65536)).thumbprint() == ec_key().thumbprint()


@pytest.mark.parametrize("blocks", [15, 16])
def test_pem_blocks_are_looked_at_until_the_sixteenth(blocks: int) -> None:
    junk = "-----BEGIN EC PARAMETERS-----\nAAAA\n-----END EC PARAMETERS-----\n"
    text = junk * blocks + ec_key().to_pem()
    if blocks < 16:
        assert Key.from_pem(text).thumbprint() == ec_key().thumbprint()
    else:
        with pytest.raises(InvalidKeyError, match="longer"):
            Key.from_pem(text)


# --- members of a JWK --------------------


def test_key_ops_are_few() -> None:
    others = [f"op{n}" for n in range(15)]
    jwk = {**ec_key().to_jwk(), "key_ops": ["verify", *others]}
    assert Key.from_jwk(jwk).algorithm == "ES256"
    with pytest.raises(InvalidKeyError, match="longer"):
        Key.from_jwk({**ec_key().to_jwk(), "key_ops": ["verify", *others, "op15"]})


def test_members_are_few() -> None:
    jwk: dict[str, Any] = ec_key().to_jwk()
    jwk |= {f"m{n}": n for n in range(64 - len(jwk))}
    assert Key.from_jwk(jwk).algorithm == "ES256"
    for more in ({**jwk, "one": 1}, json.dumps({**jwk, "one": 1})):
        with pytest.raises(InvalidKeyError, match="longer"):
            Key.from_jwk(more)


RSA = {"kty": "RSA", "e": "AQAB"}


@pytest.mark.parametrize(
    ("members", "rule"),
    [
        ({"n": b64(of_bits(16400))}, "2048 to 16384 bits"),
        ({"n": b64(of_bits(32768))}, "2048 to 16384 bits"),
        ({"n": b64(of_bits(1024))}, "2048 to 16384 bits"),
        ({"n": b64(of_bits(2048)), "e": b64(of_bits(72))}, "public exponent"),
        ({"n": b64(of_bits(2048)), "d": b64(of_bits(2056))}, "does not match"),
        ({"n": b64(of_bits(2048)), "d": b64(of_bits(32768))}, "does not match"),
        *(
            (
                {
                    "n": b64(of_bits(2048)),
                    **dict.fromkeys(("d", "p", "q", "dp", "dq", "qi"), "Aw"),
                    name: b64(of_bits(2056)),
                },
                "does not match",
            )
            for name in ("p", "q", "dp", "dq", "qi")
        ),
    ],
)
def test_rsa_numbers_have_a_size_before_any_work(
    members: dict[str, str], rule: str
) -> None:
    with pytest.raises(InvalidKeyError, match=rule):
        Key.from_jwk({**RSA, **members})


@pytest.mark.parametrize("form", ["jwk", "der"])
@pytest.mark.parametrize(
    ("bits", "most"),
    [(2048, 64), (3072, 64), (3073, 64), (4096, 64), (4097, 33), (16384, 33)],
)
def test_a_public_exponent_is_short_beside_a_long_modulus(
    bits: int, most: int, form: str
) -> None:
    def read(e: int) -> Key:
        if form == "der":
            numbers = der_number(of_bits(bits)) + der_number(e)
            return Key.from_der(der_of(0x30, numbers))
        return Key.from_jwk({**RSA, "n": b64(of_bits(bits)), "e": b64(e)})

    assert read(of_bits(most)).algorithm == "RS256"
    with pytest.raises(InvalidKeyError, match="public exponent") as caught:
        read(of_bits(most + 1))
    assert caught.value.reason == "key_rsa_exponent"


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
def test_a_key_with_the_longest_exponent_verifies(algorithm: str) -> None:
    """From 3073 bits on, libcrypto verifies with no exponent of more than 64."""
    e = str((1 << 63) + 29)
    options = ["rsa_keygen_bits:3080", f"rsa_keygen_pubexp:{e}"]
    chosen = [word for option in options for word in ("-pkeyopt", option)]
    pem = openssl("genpkey", "-algorithm", "RSA", *chosen, data=b"")
    key = Key.from_pem(pem, algorithm)
    token = Signer(key).sign({"n": 1})
    assert Verifier(key.public(), require=()).verify(token) == {"n": 1}


def test_a_wide_private_number_buys_no_work() -> None:
    jwk = {**RSA, "n": b64(of_bits(16384)), "d": b64(of_bits(32768))}
    assert "does not match" in answer("jwk", jwk)


def test_a_private_key_without_its_primes_buys_no_work() -> None:
    """It is tried by signing: half a minute for an n and a d of 16384 bits."""
    jwk = {**RSA, "n": b64(of_bits(16384)), "d": b64(of_bits(16384))}
    assert "costs more to open" in answer("jwk", jwk)
    with pytest.raises(InvalidKeyError, match="costs more to open"):
        Key.from_jwk({**RSA, "n": b64(of_bits(4104)), "d": b64(of_bits(4096))})
    with pytest.raises(InvalidKeyError, match="does not match"):
        Key.from_jwk({**RSA, "n": b64(of_bits(4096)), "d": b64(of_bits(4096))})


def test_a_pem_key_has_no_wide_numbers() -> None:
    """PKCS#1 (RFC 8017 A.1.2) with a d of 60,000 bits."""
    numbers = [0, of_bits(2048), 65537, of_bits(60_000), *[of_bits(1024)] * 5]
    der = der_of(0x30, b"".join(map(der_number, numbers)))
    assert "does not match" in answer("der", der.hex())


# --- private keys in DER --------------------


def der_of(tag: int, body: bytes) -> bytes:
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 128 + len(length)]) + length + body


def der_number(number: int) -> bytes:
    return der_of(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


@pytest.mark.parametrize(
    ("options", "old", "new"),
    [
        (["-v2", "aes-128-cbc", "-iter", "65537"], "0203010001", "02037fffff"),
        (["-v1", "PBE-SHA1-3DES", "-iter", "65537"], "0203010001", "02037fffff"),
        (
            ["-scrypt", "-scrypt_N", "16384", "-scrypt_r", "8", "-scrypt_p", "1"],
            "02024000020108020101",
            "0202400002010802017f",
        ),
    ],
    ids=["pbkdf2", "pbes1", "scrypt"],
)
def test_an_expensive_derivation_is_not_begun(
    options: list[str], old: str, new: str
) -> None:
    der = sealed(*options)
    assert Key.from_der(der, password="x").is_private
    costly = changed(der, bytes.fromhex(old), bytes.fromhex(new))
    assert "costs more to open" in answer("der", costly.hex())
    with pytest.raises(InvalidKeyError, match="costs more to open"):
        Key.from_der(costly)  # nor without a password
    pem = base64.encodebytes(costly).decode()
    label = "ENCRYPTED PRIVATE KEY"
    with pytest.raises(InvalidKeyError, match="costs more to open"):
        Key.from_pem(f"-----BEGIN {label}-----\n{pem}-----END {label}-----\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [["-v2", "aes-256-cbc", "-iter", "600000"], ["-scrypt"]],
    ids=["OWASP's iterations", "openssl's scrypt"],
)
def test_a_usual_derivation_is_made(options: list[str]) -> None:
    key = Key.from_der(sealed(*options), password="x")
    assert key.thumbprint() == ec_key().thumbprint()


def test_the_public_half_of_other_kinds_is_not_computed() -> None:
    """DSA in PKCS#8: libcrypto would raise g to the x while it reads."""
    wide = der_number(of_bits(120_000))
    kind = der_of(6, bytes.fromhex("2a8648ce380401"))
    parameters = der_of(0x30, wide + der_number(of_bits(256)) + der_number(3))
    info = der_number(0) + der_of(0x30, kind + parameters) + der_of(4, wide)
    der = der_of(0x30, info)
    assert len(der) < 65536
    assert "could be read" in answer("der", der.hex())


# --- sets of keys --------------------


def test_a_set_has_at_most_256_entries() -> None:
    entry = ec_key().to_jwk()
    assert len(KeySet.from_jwks({"keys": [entry] * 256})) == 256
    with pytest.raises(InvalidKeyError, match="more than 256"):
        KeySet.from_jwks({"keys": [entry] * 257})
    with pytest.raises(InvalidKeyError, match="more than 256"):
        KeySet.from_jwks(json.dumps({"keys": [entry] * 257}))


def test_the_text_of_a_set_has_at_most_a_mebibyte() -> None:
    text = json.dumps({"keys": [ec_key().to_jwk()]})
    assert len(KeySet.from_jwks(text.ljust(2**20))) == 1
    with pytest.raises(InvalidKeyError, match="1048576"):
        KeySet.from_jwks(text.ljust(2**20 + 1))
    with pytest.raises(InvalidKeyError, match="1048576"):
        KeySet.from_jwks(text.ljust(2**20 + 1).encode())


def test_private_entries_of_a_public_set_are_not_built(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    built = []

    def counted(entry: Any, lenient: bool) -> Key:
        built.append(entry)
        return keys_module.Key.from_jwk(entry, lenient=lenient)

    public = ec_key().to_jwk()
    private = [
        ec_key().to_jwk(private=True),
        Key.generate("HS256").to_jwk(private=True),
        {**public, "d": None},
    ]
    monkeypatch.setattr(keys_module, "jwk_set_key", counted)
    KeySet.from_jwks({"keys": [*private, public]})
    assert built == [public]
    built.clear()
    KeySet.from_jwks({"keys": [*private, public]}, private=True)
    assert built == [*private, public]


@pytest.mark.parametrize("algorithm", ["HS256", "ES256", "EdDSA"])
def test_sixteen_keys_are_tried_for_a_token(algorithm: str) -> None:
    keys = [Key.generate(algorithm) for _ in range(17)]
    verifier = Verifier(KeySet(keys), require=())
    assert verifier.verify(Signer(keys[15]).sign({"n": 1})) == {"n": 1}
    with pytest.raises(UnknownKeyError, match="no more keys are tried"):
        verifier.verify(Signer(keys[16]).sign({"n": 1}))


def forged(algorithm: str, size: int) -> str:
    """Return a token with a signature of so many bytes that nobody made."""
    header = base64.urlsafe_b64encode(json.dumps({"alg": algorithm}).encode())
    signature = base64.urlsafe_b64encode(b"\1" * size)
    return b".".join((header.rstrip(b"="), b"e30", signature.rstrip(b"="))).decode()


def tries(keys: list[Key], algorithm: str, size: int) -> int:
    """Return how many of the keys are tried, at most, for a forged token."""
    for count in range(1, len(keys) + 1):
        try:
            Verifier(KeySet(keys[:count]), require=()).verify(forged(algorithm, size))
        except UnknownKeyError:
            return count - 1
        except InvalidSignatureError:
            continue
    return len(keys)


@pytest.mark.parametrize("algorithm", ["RS256", "PS512"])
@pytest.mark.parametrize(
    ("bits", "e", "most"),
    [
        (2048, 65537, 16),
        (2048, of_bits(64), 16),
        (3072, 65537, 16),
        (4096, 65537, 16),
        (4096, of_bits(64), 8),
        (8192, 65537, 8),
        (16384, 3, 16),
        (16384, 65537, 2),
        (16384, of_bits(33), 1),
    ],
)
def test_costly_rsa_keys_are_tried_less_often(
    bits: int, e: int, most: int, algorithm: str
) -> None:
    jwk = {**RSA, "n": b64(of_bits(bits)), "e": b64(e)}
    keys = [Key.from_jwk(jwk, algorithm)] * 17
    assert tries(keys, algorithm, bits // 8) == most


@pytest.mark.parametrize(
    ("algorithm", "size", "most"),
    [
        ("ES256", 64, 16),
        ("ES256K", 64, 8),
        ("ES384", 96, 4),
        ("ES512", 132, 4),
        ("Ed25519", 64, 16),
        ("Ed448", 114, 8),
        ("HS256", 32, 16),
    ],
)
def test_costly_curves_are_tried_less_often(
    algorithm: str, size: int, most: int
) -> None:
    keys = [Key.generate(algorithm)] * 17
    assert tries(keys, algorithm, size) == most


def test_the_last_key_that_is_tried_counts() -> None:
    keys = [Key.generate("ES384") for _ in range(5)]
    verifier = Verifier(KeySet(keys), require=())
    assert verifier.verify(Signer(keys[3]).sign({"n": 1})) == {"n": 1}
    with pytest.raises(UnknownKeyError, match="no more keys are tried"):
        verifier.verify(Signer(keys[4]).sign({"n": 1}))


def test_keys_of_several_costs_share_one_budget() -> None:
    long = Key.from_jwk({**RSA, "n": b64(of_bits(16384)), "e": "AQAB"})
    wide = Key.from_jwk({**RSA, "n": b64(of_bits(16383)), "e": b64(of_bits(18))})
    assert tries([long, wide], "RS256", 2048) == 1
    assert tries([long, long], "RS256", 2048) == 2


def test_a_key_whose_signatures_have_another_length_costs_nothing() -> None:
    jwk = {**RSA, "n": b64(of_bits(16384)), "e": b64(of_bits(33))}
    good = Key.generate("RS256")
    verifier = Verifier(KeySet([*[Key.from_jwk(jwk)] * 3, good]), require=())
    assert verifier.verify(Signer(good).sign({"n": 1})) == {"n": 1}


def test_keys_of_other_algorithms_and_ids_are_not_tried() -> None:
    others = [Key.generate("ES384") for _ in range(40)]
    named = [Key.generate("ES256", kid=str(n)) for n in range(40)]
    verifier = Verifier(KeySet([*others, *named]), require=())
    assert verifier.verify(Signer(named[39]).sign({"n": 1})) == {"n": 1}


def test_the_limits_of_sets_come_from_the_one_table() -> None:
    assert (_core.key_set_max, _core.key_set_text_max) == (256, 2**20)


# --- others run meanwhile --------------------


@pytest.mark.slow
@pytest.mark.parametrize("how", ["pem", "der", "jwk", "jwk text", "rsa", "public"])
def test_others_run_while_a_key_is_read(how: str) -> None:
    """Nobody takes the lock by time here: only a call that gives it up lets
    the other thread run."""
    pem = ec_key().to_pem()
    rsa = Key.generate("RS256")
    jwk, rsa_jwk = ec_key().to_jwk(), rsa.to_jwk()
    text = json.dumps(jwk)
    der = openssl("pkey", "-pubin", "-outform", "DER", data=pem.encode())
    calls: dict[str, Callable[[], Key]] = {
        "pem": lambda: Key.from_pem(pem),
        "der": lambda: Key.from_der(der),
        "jwk": lambda: Key.from_jwk(jwk),
        "jwk text": lambda: Key.from_jwk(text),
        "rsa": lambda: Key.from_jwk(rsa_jwk),
        "public": rsa.public,
    }
    call = calls[how]
    go, ran = threading.Lock(), []
    go.acquire()

    def other() -> None:
        with go:
            ran.append(True)

    thread = threading.Thread(target=other)
    thread.start()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e6)
    try:
        go.release()
        for _ in range(20_000):
            if ran:
                break
            call()
        has_run = bool(ran)
    finally:
        sys.setswitchinterval(interval)
        thread.join()
    assert has_run
