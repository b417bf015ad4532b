"""The fuzz targets see bugs that are planted in the library that they link with."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from c_tools import DEFINES, LIBRARIES
from project import ROOT, locked
from waiting import HANG

LIBRARY = ROOT / "csrc" / "lib"
TARGETS = ROOT / "tests" / "c"
FLAGS = ["-std=c11", "-g", "-O1", "-fsanitize=address,undefined", "-w", "-pthread"]

# target, file, text, what replaces it where it comes first
PLANTED = [
    (
        "b64url",
        "base/b64url_wide.c",
        "(len - DECODED) / 4 * 4;",
        "(len - DECODED) / 4 * 4 + 4;",
    ),
    ("b64url", "base/b64url_wide.c", "(0x1a,", "(0x1e,"),
    ("b64url", "base/b64url.c", "&& (b & 15) == 0", ""),
    ("text", "base/text.c", "|| *len > max) {", ") {"),
    ("text", "base/text.c", "c - ten <= 5", "c - ten <= 6"),
    ("text", "base/text.c", "len > 0 && len < 10", "len > 0"),
    ("http", "http/cookie_pair.c", "text.len >= 2", "text.len >= 1"),
    ("http", "http/cookie_pair.c", "end : stop + 1", "end : stop"),
    ("http", "http/cookie_pair.c", "name.len == what->name.len &&", ""),
    ("http", "http/credentials.c", "value.len < SCHEME_LEN", "value.len == 0"),
    ("json", "json/json_text.c", "if (end - p < 4) {", "if (end - p < 3) {"),
    ("json", "json/json_text.c", "|| (size_t)(end - p) < len", ""),
    ("json", "json/json_text.c", "code - 0xd800", "code - 0xd801"),
    ("json", "json/json_text.c", "0xed ? 0x9f", "0xed ? 0xbf"),
    ("json", "json/json_find.c", "times == 1", "times >= 1"),
    ("json", "json/json_scan.c", "(len > 1 && *digits == '0')", "false"),
    (
        "compact",
        "jose/compact.c",
        "(size_t)(end - signature)};",
        "(size_t)(end - signature) + 1};",
    ),
    ("secret", "jose/secret.c", "malloc(3 * secret.len)", "malloc(2 * secret.len)"),
    ("secret", "jose/secret.c", "fb_secret_is_der(secret) ?", "false ?"),
    ("mac", "crypto/hmac.c", "if (len > block)", "if (len >= block)"),
    ("mac", "crypto/sha2.c", "SHA384_Init", "SHA512_Init"),
    ("aead", "crypto/aead.c", "(uint64_t)aad.len * 8", "(uint64_t)aad.len"),
    ("aead", "crypto/aead.c", "tag, with->tag) == 0", "tag, with->tag - 1) == 0"),
    ("wrap", "crypto/key_wrap.c", "24 ? EVP_aes_192_wrap", "24 ? EVP_aes_128_wrap"),
    ("wrap", "crypto/key_wrap.c", "sha256 ? EVP_sha256()", "sha256 ? EVP_sha1()"),
    ("ecdsa", "jose/ecdsa.c", "(*number & 0x80) != 0", "false"),
    ("ecdsa", "jose/ecdsa.c", "if (from_len > len) {", "if (false) {"),
    ("signature", "jose/alg.c", '"ES384", DIGEST_SHA384', '"ES384", DIGEST_SHA512'),
    ("signature", "jose/pkey.c", "RSA_PSS_SALTLEN_DIGEST", "RSA_PSS_SALTLEN_MAX"),
    ("signature", "jose/pkey.c", "if (key->family[i].alg == with)", "if (true)"),
    ("parts", "jose/pkey_check.c", "|| EVP_PKEY_pairwise_check(ctx) != 1", ""),
    ("parts", "jose/pkey_check.c", "&& BN_cmp(reduced, exponent) == 0", ""),
    ("edwards", "jose/edwards.c", "&& BN_cmp(y, p) < 0", ""),
    ("edwards", "jose/edwards.c", "i < law->small_count", "i < 3"),
    ("edwards", "jose/edwards.c", "&& has_x(law, y, p, ctx)", ""),
    ("pkey", "jose/pkey_pkcs8.c", "return fb_failure_of(result);", "return result;"),
    ("pkey", "jose/pkey.c", "== 1;", ">= 0;"),
    ("pkey", "jose/pkey_pkcs1.c", "key->version != 1", "key->version == 0"),
    ("pkey", "jose/pkey_sec1.c", "|| key->curve == NULL", ""),
    (
        "pkey",
        "jose/pkey_sec1.c",
        "number, NULL, NULL, NULL)",
        "NULL, NULL, NULL, NULL)",
    ),
    ("sealed", "jose/pkey_pkcs8.c", "value <= most;", "value <= most + 1;"),
    ("sealed", "jose/pkey_pkcs8.c", "n * r * p <= KEY_SCRYPT_MAX", "true"),
    (
        "session",
        "better_auth/session_compact.c",
        "brace[tail.len] =",
        "brace[tail.len + 200] =",
    ),
    ("session", "better_auth/session_sealed.c", "!= TAG_LEN", "== 0"),
    ("session", "better_auth/session_token.c", "{\"%2f\", '/'}", "{\"%2f\", '+'}"),
    ("session", "better_auth/session_compact.c", "*brace = '}';", ""),
    ("argon2", "password/argon2/argon2_fill.c", "v[c], 24)", "v[c], 25)"),
    ("argon2", "password/argon2/blake2b.c", "^= state->count", "^= 128"),
    ("kdf", "password/kdf.c", "(int)with->n, with", "(int)with->n + 1, with"),
    ("kdf", "base/text.c", "end - text) % 4 != 0", "end - text) % 2 != 0"),
    ("crypt", "password/sha_crypt.c", "round % 7", "round % 8"),
    ("crypt", "password/bcrypt.c", "c | 0xffffff00", "c | 0xffff0000"),
    ("crypt", "password/bcrypt.c", "&& differs == 0 ", ""),
    ("crypt", "password/phpass.c", "round < with->rounds", "round <= with->rounds"),
    ("crypt", "password/salted.c", "bytes + row->key, len", "bytes, len"),
    ("format", "base/text.c", "return *len <= max &&", "return"),
    (
        "format",
        "password/sha_crypt.c",
        "salt.len > SALT_MAX",
        "salt.len > OLD_SALT_MAX",
    ),
    ("format", "password/crypt64.c", "text.len != (", "text.len < ("),
    ("format", "password/phc.c", "m=%u,t=%llu", "m=1%u,t=%llu"),
]


def names() -> set[str]:
    """Return the names of the targets."""
    found = {path.stem.removeprefix("fuzz_") for path in TARGETS.glob("fuzz_*.c")}
    return found - {"main"}


def extras() -> list[str]:
    """Return the flags for the libraries that some targets ask, where they are here."""
    flags = [*DEFINES, *LIBRARIES]
    asked = ["pkg-config", "--exists", "libxcrypt"]
    if subprocess.run(asked, capture_output=True).returncode == 0:
        flags += ["-DFASTBEARER_LIBCRYPT", "-lcrypt"]
    return flags


def test_every_target_has_seeds_and_a_planted_bug() -> None:
    assert {target for target, *_ in PLANTED} == names()
    for name in names():
        assert any((TARGETS / "seeds" / name).iterdir()), name


def test_every_dictionary_belongs_to_a_target() -> None:
    words = {path.stem for path in (TARGETS / "seeds").glob("*.dict")}
    assert words <= names()
    assert len(words) > 10


def built(target: str) -> Path:
    """Return the program of a target, beside which its object and the library lie."""
    program = f"build/fuzz/gcc/fuzz_{target}"
    with locked(ROOT / "build" / "fuzz.lock"):
        subprocess.run(["make", "-s", "FUZZ_CC=gcc", program], cwd=ROOT, check=True)
    return ROOT / program


def run(program: Path, target: str, seconds: float, folder: Path) -> tuple[int, str]:
    """Drive a target from its seeds; return its exit status and what it printed."""
    command = [program, TARGETS / "seeds" / target, str(int(seconds)), folder / "crash"]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.soak
@pytest.mark.parametrize("target", sorted(names()))
def test_a_target_is_content_with_the_library(target: str, tmp_path: Path) -> None:
    status, said = run(built(target), target, 1, tmp_path)
    assert status == 0, said


@pytest.mark.soak
@pytest.mark.parametrize(
    ("target", "file", "old", "new"),
    PLANTED,
    ids=[f"{p[0]}: {p[1]} {p[2]}" for p in PLANTED],
)
def test_a_planted_bug_is_seen(
    target: str, file: str, old: str, new: str, tmp_path: Path
) -> None:
    home = built(target).parent
    text = (LIBRARY / file).read_text()
    assert old in text
    planted = tmp_path / Path(file).name
    planted.write_text(text.replace(old, new, 1))
    program = tmp_path / "fuzz"
    subprocess.run(  # what stands before the library takes its place
        [
            *("gcc", *FLAGS, "-Icsrc/lib", f"-I{(LIBRARY / file).parent}"),
            *("-o", program, home / f"fuzz_{target}.o", planted),
            *(home / "fuzz_main.o", home / "lib.a", *extras()),
        ],
        cwd=ROOT,
        check=True,
    )
    status, said = run(program, target, HANG, tmp_path)  # a crash ends it at once
    assert status != 0, said
