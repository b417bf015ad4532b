/* bcrypt's hashes: $2b$, its elder spellings, and the faulty $2x$. */
#include "password/password.h"

#include <string.h>

#include <openssl/crypto.h>

#include "password/blowfish/blowfish.h"

#define SETTING_LEN 29 /* $2b$12$ and 22 characters of salt */
#define HASH_LEN 60
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
write_digest(const unsigned char *digest, char *out)
{
    uint32_t bits = 0;
    int count = 0;
    for (size_t at = 0; at < DIGEST_LEN; at++) {
        bits = bits << 8 | digest[at];
        for (count += 8; count >= 6; count -= 6) {
            *out++ = alphabet[bits >> (count - 6) & 63];
        }
    }
    *out = alphabet[bits << (6 - count) & 63];
}

status
bcrypt_check(span setting, size_t *digest)
{
    const char *p = setting.p;
    *digest = setting.len == HASH_LEN ? SETTING_LEN : 0;
    if ((setting.len != SETTING_LEN && setting.len != HASH_LEN)
        || memcmp(p, "$2", 2) != 0 || memchr("abxy", p[2], 4) == NULL
        || p[3] != '$' || p[4] < '0' || p[4] > '3' || p[5] < '0' || p[5] > '9'
        || p[6] != '$' || !is_bcrypt64(p + 7, setting.len - 7)) {
        return STATUS_HASH_MALFORMED;
    }
    int cost = (p[4] - '0') * 10 + (p[5] - '0');
    /* nobody makes new ones of the faulty kind */
    if (cost < 4 || cost > 31 || (p[2] == 'x' && *digest == 0)) {
        return STATUS_HASH_MALFORMED;
    }
    return cost > COST_MAX ? STATUS_HASH_COSTLY : STATUS_OK;
}

/* --- computing ----------------------------------------------------------- */

/*
 * Every maker of bcrypt hashes cut at 72 bytes, so verifying does too; a new
 * hash must not forget what its user typed. Makers differ on a NUL: for some
 * "a" and "a\0b" are one password, so such a password is always refused.
 */
CHECKED static status
check_password(span password, bool is_new)
{
    if (memchr(password.p, '\0', password.len) != NULL) {
        return STATUS_PASSWORD_NUL;
    }
    return is_new && password.len > PASSWORD_MAX ? STATUS_PASSWORD_LONG
                                                 : STATUS_OK;
}

/* The password and a NUL, again and again. $2x$ took bytes for signed chars,
 * so that one of over 127 overwrote those before it. $2a$ may be of either
 * kind: since 2011 crypt(3) sets a bit in it where the faulty reading of some
 * other password would give the same key. */
static void
read_key(span password, char kind, blowfish_key *key)
{
    size_t at = 0;
    uint32_t differs = 0, has_sign = 0;
    for (size_t i = 0; i < BLOWFISH_SUBKEYS; i++) {
        uint32_t right = 0, faulty = 0;
        for (int j = 0; j < 4; j++) {
            unsigned char c =
                at < password.len ? (unsigned char)password.p[at] : 0;
            right = right << 8 | c;
            faulty = faulty << 8 | (c < 0x80 ? c : c | 0xffffff00);
            has_sign |= j > 0 ? faulty & 0x80u : 0u;
            at = at < password.len ? at + 1 : 0;
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
compute(span password, span setting, unsigned char *digest)
{
    static const char text[] = "OrpheanBeholderScryDoubt";
    unsigned char salt_bytes[SALT_LEN];
    blowfish state;
    blowfish_key key;
    blowfish_salt salt;
    uint32_t words[6];
    unsigned cost =
        (unsigned)((setting.p[4] - '0') * 10 + (setting.p[5] - '0'));
    /* Bits beyond the salt are ignored, as by all makers: hashes that have
     * some set are in use. */
    (void)decode(setting.p + 7, salt_bytes, SALT_LEN);
    for (size_t i = 0; i < 4; i++) {
        salt.words[i] = load_word(salt_bytes + 4 * i);
    }
    read_key(password, setting.p[2], &key);
    blowfish_setup(&state, cost, &key, &salt);
    for (size_t i = 0; i < 6; i++) {
        words[i] = load_word((const unsigned char *)text + 4 * i);
    }
    for (int round = 0; round < 64; round++) {
        for (size_t i = 0; i < 6; i += 2) {
            blowfish_encrypt(&state, &words[i], &words[i + 1]);
        }
    }
    for (size_t i = 0; i < DIGEST_LEN; i++) {
        digest[i] = (unsigned char)(words[i / 4] >> (24 - i % 4 * 8));
    }
    OPENSSL_cleanse(&state, sizeof state);
    OPENSSL_cleanse(&key, sizeof key);
    OPENSSL_cleanse(words, sizeof words);
}

CHECKED static status
compute_checked(span password, span setting, unsigned char *digest)
{
    size_t digest_at;
    status result = bcrypt_check(setting, &digest_at);
    if (result == STATUS_OK) {
        result = check_password(password, digest_at == 0);
    }
    if (result == STATUS_OK) {
        if (password.len > PASSWORD_MAX) {
            password.len = PASSWORD_MAX;
        }
        compute(password, setting, digest);
    }
    return result;
}

status
bcrypt_make(const hash_means *means, span password, span setting,
            unsigned threads, hash_text *out)
{
    (void)means;
    (void)threads; /* one */
    unsigned char digest[DIGEST_LEN] = {0};
    status result = compute_checked(password, setting, digest);
    if (result == STATUS_OK) {
        memcpy(out->text, setting.p, SETTING_LEN);
        write_digest(digest, out->text + SETTING_LEN);
        out->len = HASH_LEN;
    }
    OPENSSL_cleanse(digest, sizeof digest);
    return result;
}

status
bcrypt_verify(const hash_means *means, span password, span hash,
              unsigned threads, bool *matches)
{
    (void)means;
    (void)threads; /* one */
    unsigned char digest[DIGEST_LEN] = {0}, expected[DIGEST_LEN];
    *matches = false;
    if (hash.len != HASH_LEN) {
        return STATUS_HASH_MALFORMED;
    }
    status result = compute_checked(password, hash, digest);
    if (result == STATUS_OK) {
        bool is_exact =
            decode(hash.p + SETTING_LEN, expected, DIGEST_LEN) == 0;
        *matches =
            is_exact && CRYPTO_memcmp(digest, expected, DIGEST_LEN) == 0;
    }
    OPENSSL_cleanse(digest, sizeof digest);
    return result;
}
