/* crypt(3)'s hashes of SHA-256 and SHA-512, after Ulrich Drepper's "Unix crypt
 * using SHA-256 and SHA-512", 2007. */
#include "password/password.h"

#include <string.h>

#include <openssl/crypto.h>

#include "password/old.h"

#define ROUNDS_MIN 1000
#define ROUNDS_USUAL 5000
#define SALT_MAX 16

/* In which place each byte of the digest is written. */
static const unsigned char order_256[32] = {
    20, 10, 0,  11, 1, 21, 2, 22, 12, 23, 13, 3,  14, 4, 24, 5,
    25, 15, 26, 16, 6, 17, 7, 27, 8,  28, 18, 29, 19, 9, 30, 31,
};
static const unsigned char order_512[64] = {
    42, 21, 0,  1,  43, 22, 23, 2,  44, 45, 24, 3,  4,  46, 25, 26,
    5,  47, 48, 27, 6,  7,  49, 28, 29, 8,  50, 51, 30, 9,  10, 52,
    31, 32, 11, 53, 54, 33, 12, 13, 55, 34, 35, 14, 56, 57, 36, 15,
    16, 58, 37, 38, 17, 59, 60, 39, 18, 19, 61, 40, 41, 20, 62, 63,
};

/* [rounds=N$]salt$digest */
bool
fb_sha_crypt_read(const format *row, span rest, old_hash *out)
{
    span salt;
    out->rounds = ROUNDS_USUAL;
    if (fb_text_skip(&rest, "rounds=")
        && !(fb_text_number(&rest, &out->rounds)
             && fb_text_skip(&rest, "$"))) {
        return false;
    }
    if (!fb_text_until(&rest, '$', &salt) || salt.len > SALT_MAX) {
        return false;
    }
    memcpy(out->salt, salt.p, salt.len);
    out->salt_len = salt.len;
    return out->rounds >= ROUNDS_MIN
           && fb_crypt64_decode(rest, row->key == 32 ? order_256 : order_512,
                                out->digest, row->key);
}

typedef struct {
    unsigned char password[OLD_PASSWORD_MAX], salt[SALT_MAX];
    size_t password_len, salt_len;
} sequences;

/* The digest of a text that is added as many times as is said, again and
 * again, to the length of the text. */
static void
make_sequence(digester *all, const format *row, span text, size_t times,
              unsigned char *out)
{
    unsigned char digest[OLD_DIGEST_MAX] = {0};
    for (size_t i = 0; i < times; i++) {
        fb_digester_add(all, text.p, text.len);
    }
    fb_digester_end(all, digest);
    for (size_t at = 0; at < text.len; at++) {
        out[at] = digest[at % row->key];
    }
    OPENSSL_cleanse(digest, sizeof digest);
}

/* Steps 1 to 12. */
static void
begin(digester *all, const format *row, const old_hash *with, span password,
      unsigned char *digest)
{
    fb_digester_add(all, password.p, password.len);
    fb_digester_add(all, with->salt, with->salt_len);
    fb_digester_add(all, password.p, password.len);
    fb_digester_end(all, digest);
    fb_digester_add(all, password.p, password.len);
    fb_digester_add(all, with->salt, with->salt_len);
    fb_digester_repeat(all, digest, row->key, password.len);
    for (size_t bits = password.len; bits > 0; bits >>= 1) {
        if (bits & 1) {
            fb_digester_add(all, digest, row->key);
        } else {
            fb_digester_add(all, password.p, password.len);
        }
    }
    fb_digester_end(all, digest);
}

/* Step 21, once. */
static void
turn(digester *all, const format *row, const sequences *of, uint32_t round,
     unsigned char *digest)
{
    bool is_odd = round % 2 == 1;
    const void *first = is_odd ? of->password : digest;
    const void *last = is_odd ? digest : of->password;
    fb_digester_add(all, first, is_odd ? of->password_len : row->key);
    fb_digester_add(all, of->salt, round % 3 != 0 ? of->salt_len : 0);
    fb_digester_add(all, of->password, round % 7 != 0 ? of->password_len : 0);
    fb_digester_add(all, last, is_odd ? row->key : of->password_len);
    fb_digester_end(all, digest);
}

status
fb_sha_crypt_compute(const format *row, const old_hash *with, span password,
                     unsigned char *digest)
{
    sequences of = {.password_len = password.len, .salt_len = with->salt_len};
    digester all = fb_digester_open(row->md());
    begin(&all, row, with, password, digest);
    const span salt = {(const char *)with->salt, with->salt_len};
    make_sequence(&all, row, password, password.len, of.password);
    make_sequence(&all, row, salt, 16 + (size_t)digest[0], of.salt);
    for (uint32_t round = 0; round < with->rounds; round++) {
        turn(&all, row, &of, round, digest);
    }
    OPENSSL_cleanse(&of, sizeof of);
    return fb_digester_close(&all);
}
