"""The checks of tests/c see bugs that are planted in the library they link with."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from c_tools import LIBRARIES, needs_checkout
from project import ROOT, made

LIBRARY = ROOT / "csrc" / "lib"
C = ROOT / "tests" / "c"
FLAGS = ["-std=c11", "-O1", "-w", "-pthread", "-Icsrc/lib"]

# check, file, text, what replaces it where it comes first
PLANTED = [
    (
        "failure",
        "crypto/hmac.c",
        "&& EVP_DigestUpdate(ctx, message.p,",
        "&& (0, message.p,",
    ),
    ("failure", "crypto/hmac.c", "|| !fb_sha2_final(", "|| 0 & fb_sha2_final("),
    ("failure", "crypto/aead.c", "return ok ? STATUS_OK", "return true ? STATUS_OK"),
    ("failure", "crypto/key_wrap.c", "return ok ? STATUS_OK", "return 1 ? STATUS_OK"),
    ("failure", "crypto/hmac.c", ": fb_failure_of(", ": ("),
    (
        "failure",
        "jose/edwards.c",
        "(int)on->bytes, y) != NULL",
        "(int)on->bytes, y), 1",
    ),
    ("failure", "password/kdf.c", "return ok ? STATUS_OK : failure();", "return 0;"),
    ("failure", "password/digester.c", "return of->ok ? STATUS_OK", "return 1 ? 0"),
    ("failure", "password/firebase.c", "return ok ? STATUS_OK", "return 1 ? 0"),
    ("failure", "password/django.c", "fb_failure_of(", "("),
    ("failure", "password/bcrypt_sha256.c", ": fb_failure_of(", ": ("),
    ("bounds", "crypto/aead.c", "text.len <= INT_MAX - 2 * AEAD_BLOCK", "true"),
    ("bounds", "jose/ecdsa.c", "&& p == end", ""),
    ("bounds", "jose/ecdsa.c", "if (from_len > len) {", "if (0) {"),
    ("bounds", "password/bcrypt.c", "&& text.digest.len == 0", "&& false"),
    ("bounds", "password/kdf.c", "read.key_len == 0", "0"),
    ("bounds", "password/argon2/arena.c", "done->bytes > IDLE_BYTES_MAX", "0"),
    ("bounds", "better_auth/session_token.c", "&& plain[SESSION_TOKEN] == '.'", ""),
    ("verify_work", "jose/pkey.c", "!may_be_silent || is_verdict()", "true"),
    ("verify_work", "jose/pkey.c", "!may_be_silent || is_verdict()", "false"),
    ("verify_work", "jose/pkey.c", "&& !ERR_COMMON_ERROR(error)", ""),
    ("sealed", "jose/pkey_pkcs8.c", "&& *p == end", ""),
    ("sealed", "jose/pkey_read.c", "is_found = read != NULL;", ""),
    ("key_memory", "jose/pkey_read.c", "&& read != fb_pkey_from_sealed", "&& false"),
    ("residue", "jose/pkey_pkcs1.c", "secret[RSA_P], CBIGNUM", "secret[RSA_P], BIGNUM"),
    ("residue", "jose/pkey_sec1.c", "== ASN1_OP_FREE_PRE", "== ASN1_OP_NEW_PRE"),
    ("residue", "jose/pkey_sec1.c", "BN_secure_new()", "BN_new()"),
    ("residue", "jose/pkey_parts.c", "OSSL_PARAM_free(secret);", "free(secret);"),
    ("residue", "jose/pkey_pkcs8.c", "ASN1_STRING_clear_free(", "ASN1_STRING_free("),
    (
        "residue",
        "jose/pkey_read.c",
        "OPENSSL_clear_free(room, 2 * text.len)",
        "OPENSSL_free(room)",
    ),
]

WRAPS = {"sealed": "PKCS8_decrypt", "verify_work": "EVP_DigestVerify"}
"""Check -> the one function that it replaces."""


def wrapped(check: str) -> list[str]:
    """Return what the linker puts in the place of libcrypto's functions."""
    if check in WRAPS:
        return [f"-Wl,--wrap={WRAPS[check]}"]
    if check != "failure":
        return []
    text = (C / "failing.h").read_text()
    names = re.findall(r"^[A-Z][A-Z0-9_]*\([^,]*, (\w+),", text, re.MULTILINE)
    return [f"-Wl,--wrap={name}" for name in names]


def built(check: str, source: Path, folder: Path) -> Path:
    """Build a check in which one file stands before the library's own."""
    program = folder / "check"
    room = (LIBRARY / source.relative_to(folder)).parent
    subprocess.run(
        [
            *("gcc", *FLAGS, "-iquote", str(room), "-o", str(program)),
            *(str(C / f"{check}_check.c"), str(source)),
            *(str(made("build/libfastbearer.a")), *wrapped(check)),
            *LIBRARIES,
        ],
        cwd=ROOT,
        check=True,
    )
    return program


@needs_checkout
@pytest.mark.soak
@pytest.mark.parametrize(
    ("check", "file", "old", "new"), PLANTED, ids=[f"{p[1]} {p[2]}" for p in PLANTED]
)
def test_a_planted_bug_is_seen(
    check: str, file: str, old: str, new: str, tmp_path: Path
) -> None:
    text = (LIBRARY / file).read_text()
    assert old in text
    source = tmp_path / file
    source.parent.mkdir(parents=True)
    for planted, is_good in ((text, True), (text.replace(old, new, 1), False)):
        source.write_text(planted)
        program = built(check, source, tmp_path)
        done = subprocess.run([program], capture_output=True, text=True)
        assert (done.returncode == 0) is is_good, done.stdout[-2000:]
