/*
 * What the upper storey never asks the library, and another caller might:
 * lengths beyond the interfaces of libcrypto and of RFC 9106, DER that no
 * libcrypto writes, another digest in the place of SHA-256, and settings in
 * that of hashes. All of it is refused, and nothing is read at the addresses
 * of the long ones.
 *
 *   make build/check/bounds_check && build/check/bounds_check
 */
#include "better_auth/session.h"
#include "jose/jose.h"
#include "password/password.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static int faults;

static void
expect(bool ok, const char *what)
{
    if (!ok) {
        printf("%s\n", what);
        faults++;
    }
}

/* Nothing may be read of it but how long it says it is. */
static span
long_text(size_t len)
{
    return (span){"", len};
}

static void
check_encryption(const digests *all)
{
    static const unsigned char key[64], iv[16], tag[AEAD_TAG_MAX];
    static const char *const names[] = {"A128CBC-HS256", "A256GCM"};
    unsigned char out[64];
    unsigned char made[AEAD_TAG_MAX];
    size_t len;
    span few = {"few", 3}, many = long_text((size_t)INT_MAX - 8);
    for (int i = 0; i < 4; i++) {
        const aead *with = fb_aead_find(names[i % 2], strlen(names[i % 2]));
        span text = i < 2 ? many : few, aad = i < 2 ? few : many;
        hmac_key mac = {.size = 0};
        expect(fb_aead_seal(with, all, key, iv, aad, text, out, &len, made)
                   == STATUS_TOKEN_TOO_LONG,
               "a long text was sealed");
        expect(fb_aead_open(with, all, key, iv, aad, text, tag, out, &len)
                   == STATUS_TOKEN_TOO_LONG,
               "a long text was opened");
        expect(fb_aead_open_cbc(with, &mac, key, iv, aad, text, tag, out, &len)
                   == STATUS_TOKEN_TOO_LONG,
               "a long text was opened with a MAC");
    }
}

static void
check_argon2(void)
{
    const size_t beyond = (size_t)UINT32_MAX + 1;
    const argon2_params good = {.kind = ARGON2_ID,
                                .version = 0x13,
                                .memory = 8,
                                .passes = 1,
                                .lanes = 1,
                                .salt = {"saltsalt", 8},
                                .size = 32};
    argon2_params salt = good, secret = good, data = good;
    unsigned char tag[32];
    salt.salt.len = secret.secret.len = data.data.len = beyond;
    expect(fb_argon2_params_check(&good) == STATUS_OK, "good parameters");
    expect(fb_argon2_params_check(&salt) != STATUS_OK, "a long salt");
    expect(fb_argon2_params_check(&secret) != STATUS_OK, "a long secret");
    expect(fb_argon2_params_check(&data) != STATUS_OK, "long data");
    expect(fb_argon2_compute(fb_argon2_engine_find(NULL), &good,
                             long_text(beyond), NULL, 1, tag)
               != STATUS_OK,
           "a long password");
}

static void
check_arenas(void)
{
    arenas all = {.most = 1};
    arena *large = fb_arena_take(&all, ((size_t)256 << 20) + 1);
    expect(large != NULL, "no memory for a large arena");
    if (large != NULL) {
        fb_arena_give(&all, large);
        expect(fb_arena_release(&all, 1000) == 0, "a large arena was kept");
    }
    arena *small = fb_arena_take(&all, 4096);
    expect(small != NULL, "no memory for a small arena");
    if (small != NULL) {
        fb_arena_give(&all, small);
        expect(fb_arena_release(&all, 1000) == 1, "a small one was not kept");
        expect(fb_arena_release(&all, -1) == 0, "one is left");
    }
}

/* SEQUENCE of two INTEGERs (RFC 3279 2.2.3), each of at most `len` / 2 bytes
 * here: the others are spoilt. */
static void
check_der(void)
{
    static const struct {
        unsigned char der[12];
        size_t len;
        bool is_good;
    } cases[] = {
        {{0x30, 6, 2, 1, 7, 2, 1, 9}, 8, true},
        {{0x30, 0x81, 6, 2, 1, 7, 2, 1, 9}, 9, true},
        {{0x30, 8, 2, 2, 0, 0xff, 2, 2, 0, 0x80}, 10, true},
        {{0x30, 5, 2, 0, 2, 1, 9}, 7, true}, /* of no bytes: zero */
        {{0}, 0, false},
        {{0x30, 6}, 2, false},
        {{0x31, 6, 2, 1, 7, 2, 1, 9}, 8, false},
        {{0x30, 6, 3, 1, 7, 2, 1, 9}, 8, false},
        {{0x30, 6, 2, 1, 7, 3, 1, 9}, 8, false},
        {{0x30, 6, 2, 1, 7, 2, 1}, 7, false},
        {{0x30, 6, 2, 1, 7, 2}, 6, false},
        {{0x30, 6, 2, 9, 7, 2, 1, 9}, 8, false},
        {{0x30, 6, 2, 1, 7, 2, 1, 9, 0}, 9, false},
        {{0x30, 9, 2, 4, 1, 2, 3, 4, 2, 1, 9}, 11, false},
    };
    unsigned char raw[4];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool is_read =
            fb_ecdsa_from_der(cases[i].der, cases[i].len, raw, sizeof raw);
        expect(is_read == cases[i].is_good, "a signature in DER");
    }
}

#define MAC "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define END ",\"signature\":\"" MAC "\"}"

/* Nothing of it is the secret's, whole or not. */
static void
check_sessions(const digests *all)
{
    static const char *const envelopes[] = {
        "",
        "{\"session\":",
        "{\"session\":\"}",
        "{\"session\":" MAC "\"}",
        "{\"session\":{}" MAC "\"}",
        "{\"session\":" END,
        "{\"session\":1" END,
        "{\"session\":{},\"expiresAt\":" END,
        "{\"session\":{},\"expiresAt\":01" END,
        "{\"session\":{},\"expiresAt\":1/" END,
        "{\"session\":{},\"expiresAt\":1:" END,
        "{\"session\":{},\"expiresAt\":12345678901234567" END,
        "{\"session\":{},\"expires\":1" END,
        "{\"session\":,\"expiresAt\":1" END,
        "{\"session\":},\"expiresAt\":1" END,
        "{\"session\":[],\"expiresAt\":1" END,
        "{\"session\":{},\"expiresAt\":1" END,
    };
    static const char *const sealed[] = {
        "", ".", "AAAA", "AAAA.AAAA", "AAAA.AAAA.AAAA", "AAAA.AAAA.AAAA.AAAA"};
    static const char *const tokens[] = {
        "",
        "\"",
        "%",
        "%2",
        "abcdefghijklmnopqrstuvwxyz012345." MAC "=",
        "abcdefghijklmnopqrstuvwxyz012345:" MAC "=",
        "abcdefghijklmnopqrstuvwxyz01234{." MAC "=",
        "abcdefghijklmnopqrstuvwxyz01234`." MAC "=",
        "abcdefghijklmnopqrstuvwxyz012345." MAC "==",
    };
    session_secret secret;
    char text[1024], token[SESSION_TOKEN];
    unsigned char scratch[2048];
    span part;
    int64_t expires_at;
    if (fb_session_secret_init(&secret, all, (span){"a secret", 8})
        != STATUS_OK) {
        expect(false, "a session's secret");
        return;
    }
    for (size_t i = 0; i < sizeof envelopes / sizeof *envelopes; i++) {
        size_t len = strlen(envelopes[i]);
        memcpy(text, envelopes[i], len);
        expect(fb_session_compact_read(&secret, text, len, &part, &expires_at)
                   != STATUS_OK,
               envelopes[i]);
    }
    for (size_t i = 0; i < sizeof sealed / sizeof *sealed; i++) {
        int len = snprintf(text, sizeof text, "%.*s..%s",
                           (int)secret.header_len, secret.header, sealed[i]);
        span value = {text, (size_t)len};
        expect(fb_session_open(&secret, value, scratch, &part) != STATUS_OK,
               sealed[i]);
    }
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        span value = {tokens[i], strlen(tokens[i])};
        expect(fb_session_token_read(&secret, value, token) != STATUS_OK,
               tokens[i]);
    }
    memcpy(text, tokens[4], SESSION_SIGNED);
    expect(fb_session_token_sign(&secret, text, text + SESSION_TOKEN + 1)
               == STATUS_OK,
           "a token is signed");
    span value = {text, SESSION_SIGNED};
    expect(fb_session_token_read(&secret, value, token) == STATUS_OK,
           "a signed token");
    text[SESSION_TOKEN] = ':';
    expect(fb_session_token_read(&secret, value, token) != STATUS_OK,
           "a token without its dot");
    fb_session_secret_clear(&secret);
}

#define FIFTY ".................................................."

/* A row is asked only for what is of its format, and whole; not so here. */
static void
check_rows(const format *rows, const hash_means *means)
{
    static const char *const texts[] = {
        "",
        "$",
        "no hash",
        "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ",
        "$2b$04$......................",
        "$2b$31$" FIFTY "...",
        "$bcrypt-sha256$v=2,t=2b,r=4$......................",
        "bcrypt$$2b$04$......................",
        "$wp$2b$04$......................",
        "{bcrypt}$2b$04$......................",
        "{BCRYPT}no hash",
        "{SSHA}!",
        "$scrypt$ln=4,r=8,p=1$c2FsdHNhbHQ$",
        "$pbkdf2-sha256$1$c2FsdHNhbHQ$",
        "pbkdf2_sha256$1$salt$",
    };
    for (const format *row = rows; row->name != NULL; row++) {
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
            bool matches = true;
            span hash = {texts[i], strlen(texts[i])};
            if (hash.len < 4 && row->is_it == NULL) {
                continue; /* WordPress's word is cut off without a look */
            }
            status result =
                row->verify(row, means, (span){"x", 1}, hash, 1, &matches);
            expect(result != STATUS_OK, row->name);
            expect(!matches, row->name);
        }
    }
}

/* Of as many bytes as SHA-256: the size alone does not make it the same. */
static void
check_sha2(void)
{
    expect(fb_sha2_agrees(DIGEST_SHA256, EVP_sha256()),
           "SHA-256 is not libcrypto's");
    expect(!fb_sha2_agrees(DIGEST_SHA256, EVP_sha3_256()),
           "SHA3-256 was taken for SHA-256");
}

int
main(void)
{
    static arenas kept;
    const hash_means means = {fb_argon2_engine_find(NULL), &kept, false, false,
                              NULL};
    digests all;
    if (!fb_digest_fetch_all(&all, false)) {
        return 2;
    }
    check_encryption(&all);
    check_sha2();
    check_argon2();
    check_arenas();
    check_der();
    check_sessions(&all);
    expect(!fb_labelled_is_sole((span){"no label", 8}, (span){"x", 1})
               && !fb_labelled_is_sole((span){"{X}none", 7}, (span){"x", 1}),
           "a label that nobody knows");
    check_rows(fb_formats_made, &means);
    check_rows(fb_formats_old, &means);
    fb_digest_free_all(&all);
    printf("%d faults\n", faults);
    return faults == 0 ? 0 : 1;
}
