/* bcrypt's hashes: $2b$, its elder kinds, and the faulty $2x$. */
#include "password/password.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "password/blowfish/blowfish.h"

#define SALT_CHARS 22
#define DIGEST_CHARS 31
#define SALT_LEN 16
#define DIGEST_LEN 23
#define PASSWORD_MAX 72
#define COST_MAX 16 /* about three seconds; a stored 31 would take a day */

/* --- text ---------------------------------------------------------------- */

static const char alphabet[] =
    "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

static unsigned
value_of(char c)
{
    const char *found = c == '\0' ? NULL : strchr(alphabet, c);
    return found == NULL ? 64 : (unsigned)(found - alphabet);
}

static bool
is_bcrypt64(const char *p, size_t len)
{
    for (; len > 0; p++, len--) {
        if (value_of(*p) == 64) {
            return false;
        }
    }
    return true;
}

/* Decodes as many characters as the bytes take; returns the bits that the last
 * one has beyond them. */
static uint32_t
decode(const char *text, unsigned char *bytes, size_t len)
{
    uint32_t bits = 0;
    int count = 0;
    for (size_t at = 0; at < len; text++) {
        bits = bits << 6 | value_of(*text);
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes[at++] = (unsigned char)(bits >> count);
        }
    }
    return bits & ((1u << count) - 1);
}

static void
write_bits(const unsigned char *bytes, size_t len, char *out)
{
    uint32_t bits = 0;
    int count = 0;
    for (size_t at = 0; at < len; at++) {
        bits = bits << 8 | bytes[at];
        for (count += 8; count >= 6; count -= 6) {
            *out++ = alphabet[bits >> (count - 6) & 63];
        }
    }
    *out = alphabet[bits << (6 - count) & 63];
}

typedef struct {
    char kind; /* of $2b$ 'b', of the first kind, $2$, 0 */
    unsigned cost;
    span salt, digest; /* their texts; of a bare setting the latter is empty */
    size_t setting_len;
} bcrypt_text;

static bool
read_text(span text, bcrypt_text *out)
{
    const char *p = text.p;
    if (text.len < sizeof "$2$04$" - 1 + SALT_CHARS
        || memcmp(p, "$2", 2) != 0) {
        return false;
    }
    size_t at = p[2] == '$' ? 2 : 3; /* the second '$' */
    size_t salt_at = at + 4;
    out->kind = at == 2 ? '\0' : p[2];
    out->setting_len = salt_at + SALT_CHARS;
    if ((text.len != out->setting_len
         && text.len != out->setting_len + DIGEST_CHARS)
        || (at == 3 && memchr("abxy", p[2], 4) == NULL) || p[at] != '$'
        || p[at + 1] < '0' || p[at + 1] > '3' || p[at + 2] < '0'
        || p[at + 2] > '9' || p[at + 3] != '$'
        || !is_bcrypt64(p + salt_at, text.len - salt_at)) {
        return false;
    }
    out->cost = (unsigned)((p[at + 1] - '0') * 10 + (p[at + 2] - '0'));
    out->salt = (span){p + salt_at, SALT_CHARS};
    out->digest = (span){p + out->setting_len, text.len - out->setting_len};
    /* nobody makes new ones of the first kind and of the faulty one */
    bool is_old = out->kind == '\0' || out->kind == 'x';
    return out->cost >= 4 && out->cost <= 31
           && !(is_old && out->digest.len == 0);
}

status
fb_bcrypt_check(const format *row, span setting, hash_parts *out)
{
    (void)row;
    bcrypt_text text;
    if (!read_text(setting, &text)) {
        return STATUS_HASH_MALFORMED;
    }
    *out = (hash_parts){
        .kind = text.kind,
        .rounds = text.cost,
        .salt = SALT_LEN,
        .digest = text.digest.len == 0 ? 0 : DIGEST_LEN,
        .digest_at = text.setting_len,
    };
    return text.cost > COST_MAX ? STATUS_HASH_COSTLY : STATUS_OK;
}

bool
fb_bcrypt_write(const format *row, const hash_parts *parts, span salt,
                hash_text *out)
{
    (void)row;
    static const unsigned char zeros[DIGEST_LEN];
    char kind = parts->kind == '\0' ? 'b' : parts->kind;
    if (salt.len != SALT_LEN || parts->rounds > 99) {
        return false;
    }
    out->len = (size_t)snprintf(out->text, sizeof out->text, "$2%c$%02u$",
                                kind, (unsigned)parts->rounds);
    write_bits((const unsigned char *)salt.p, SALT_LEN, out->text + out->len);
    out->len += SALT_CHARS;
    write_bits(zeros, DIGEST_LEN, out->text + out->len);
    out->len += DIGEST_CHARS;
    return true;
}

/* --- computing ----------------------------------------------------------- */

static bool
is_ascii(span password)
{
    for (size_t i = 0; i < password.len; i++) {
        if ((unsigned char)password.p[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

/* Whether its repetitions are those of its first characters. */
static bool
repeats(span password, size_t count)
{
    for (size_t i = count; i < PASSWORD_MAX; i++) {
        if (password.p[i % password.len]
            != password.p[(i - count) % password.len]) {
            return false;
        }
    }
    return true;
}

static bool
has_shorter(span password)
{
    for (size_t count = 1; count < password.len; count++) {
        if (repeats(password, count)) {
            return true;
        }
    }
    return false;
}

/* $2x$ took bytes for signed chars, so that one of over 127 overwrote those
 * before it; of passwords that are one in the first kind, it is the shortest.
 * One of 72 bytes may be the beginning of a longer one. */
bool
fb_bcrypt_is_sole(span setting, span password)
{
    bcrypt_text text;
    if (!read_text(setting, &text) || password.len >= PASSWORD_MAX) {
        return false;
    }
    return text.kind == 'x'    ? is_ascii(password)
           : text.kind == '\0' ? !has_shorter(password)
                               : true;
}

/* The password and a NUL, again and again; without the NUL in the first kind,
 * for which "ab" and "abab" are one. $2a$ may be faulty as $2x$ or not: since
 * 2011 crypt(3) sets a bit in it where the faulty reading of some other
 * password would give the same key. */
static void
read_key(span password, char kind, blowfish_key *key)
{
    size_t at = 0, period = password.len + (kind != '\0');
    uint32_t differs = 0, has_sign = 0;
    for (size_t i = 0; i < BLOWFISH_SUBKEYS; i++) {
        uint32_t right = 0, faulty = 0;
        for (int j = 0; j < 4; j++) {
            unsigned char c =
                at < password.len ? (unsigned char)password.p[at] : 0;
            right = right << 8 | c;
            faulty = faulty << 8 | (c < 0x80 ? c : c | 0xffffff00);
            has_sign |= j > 0 ? faulty & 0x80u : 0u;
            at = at + 1 < period ? at + 1 : 0;
        }
        differs |= right ^ faulty;
        key->words[i] = kind == 'x' ? faulty : right;
    }
    key->first = kind == 'a' && differs == 0 && has_sign != 0 ? 1u << 16 : 0;
}

static uint32_t
load_word(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8
           | p[3];
}

/* Provos and Mazieres 1999, 3.2. */
static void
compute(span password, const bcrypt_text *with, unsigned char *digest)
{
    static const char text[] = "OrpheanBeholderScryDoubt";
    unsigned char salt_bytes[SALT_LEN];
    blowfish state;
    blowfish_key key;
    blowfish_salt salt;
    uint32_t words[6];
    /* Bits beyond the salt are ignored, as by all makers: hashes that have
     * some set are in use. */
    (void)decode(with->salt.p, salt_bytes, SALT_LEN);
    for (size_t i = 0; i < 4; i++) {
        salt.words[i] = load_word(salt_bytes + 4 * i);
    }
    read_key(password, with->kind, &key);
    fb_blowfish_setup(&state, with->cost, &key, &salt);
    for (size_t i = 0; i < 6; i++) {
        words[i] = load_word((const unsigned char *)text + 4 * i);
    }
    for (int round = 0; round < 64; round++) {
        for (size_t i = 0; i < 6; i += 2) {
            fb_blowfish_encrypt(&state, &words[i], &words[i + 1]);
        }
    }
    for (size_t i = 0; i < DIGEST_LEN; i++) {
        digest[i] = (unsigned char)(words[i / 4] >> (24 - i % 4 * 8));
    }
    OPENSSL_cleanse(&state, sizeof state);
    OPENSSL_cleanse(&key, sizeof key);
    OPENSSL_cleanse(words, sizeof words);
}

/*
 * Every maker of bcrypt hashes cut at 72 bytes, so verifying does too. Makers
 * differ on a NUL: for some "a" and "a\0b" are one password. So such a one is
 * refused, always.
 */
CHECKED static status
compute_checked(span password, span setting, bcrypt_text *text,
                unsigned char *digest)
{
    if (!read_text(setting, text)) {
        return STATUS_HASH_MALFORMED;
    }
    if (text->cost > COST_MAX) {
        return STATUS_HASH_COSTLY;
    }
    if (memchr(password.p, '\0', password.len) != NULL) {
        return STATUS_PASSWORD_NUL;
    }
    if (password.len > PASSWORD_MAX) {
        password.len = PASSWORD_MAX;
    }
    compute(password, text, digest);
    return STATUS_OK;
}

status
fb_bcrypt_make(const format *row, const hash_means *means, span password,
               span setting, unsigned threads, hash_text *out)
{
    (void)row;
    (void)means;
    (void)threads; /* one */
    unsigned char digest[DIGEST_LEN] = {0};
    bcrypt_text text;
    status result = compute_checked(password, setting, &text, digest);
    if (result == STATUS_OK) {
        memcpy(out->text, setting.p, text.setting_len);
        write_bits(digest, DIGEST_LEN, out->text + text.setting_len);
        out->len = text.setting_len + DIGEST_CHARS;
    }
    OPENSSL_cleanse(digest, sizeof digest);
    return result;
}

status
fb_bcrypt_verify(const format *row, const hash_means *means, span password,
                 span hash, unsigned threads, bool *matches)
{
    (void)row;
    (void)means;
    (void)threads; /* one */
    unsigned char digest[DIGEST_LEN] = {0}, expected[DIGEST_LEN];
    bcrypt_text text;
    *matches = false;
    status result = compute_checked(password, hash, &text, digest);
    if (result == STATUS_OK && text.digest.len == 0) {
        result = STATUS_HASH_MALFORMED;
    }
    if (result == STATUS_OK) {
        bool is_exact = decode(text.digest.p, expected, DIGEST_LEN) == 0;
        *matches =
            is_exact && CRYPTO_memcmp(digest, expected, DIGEST_LEN) == 0;
    }
    OPENSSL_cleanse(digest, sizeof digest);
    return result;
}
