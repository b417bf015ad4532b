/* Django's hashes that are another format's after a word of its own. */
#include "password/password.h"

#include <openssl/crypto.h>

#define SHA256_LEN 32

/* The hash after the first '$', and where it begins. */
static span
inner_of(span setting, size_t *at)
{
    const char *found = memchr(setting.p, '$', setting.len);
    *at = found == NULL ? setting.len : (size_t)(found - setting.p) + 1;
    return (span){setting.p + *at, setting.len - *at};
}

/* Writes the word before what `make` has written. */
CHECKED static status
put_word(span setting, size_t at, const hash_text *made, hash_text *out)
{
    if (at + made->len > sizeof out->text) {
        return STATUS_HASH_MALFORMED;
    }
    memcpy(out->text, setting.p, at);
    memcpy(out->text + at, made->text, made->len);
    out->len = at + made->len;
    return STATUS_OK;
}

/* argon2$argon2id$v=19$... */
status
fb_django_argon2_check(const format *row, span setting, hash_parts *out)
{
    size_t at;
    span inner = inner_of(setting, &at);
    char phc[HASH_TEXT_MAX];
    *out = (hash_parts){0};
    if (inner.len + 1 > sizeof phc) {
        return STATUS_HASH_MALFORMED;
    }
    phc[0] = '$';
    memcpy(phc + 1, inner.p, inner.len);
    status result = fb_phc_check(row, (span){phc, inner.len + 1}, out);
    out->digest_at += at - 1;
    return result;
}

/* The word's '$' is the PHC text's first one. */
static span
phc_of(span setting, size_t *at)
{
    span inner = inner_of(setting, at);
    *at -= 1;
    return (span){inner.p - 1, inner.len + 1};
}

status
fb_django_argon2_make(const format *row, const hash_means *means,
                      span password, span setting, unsigned threads,
                      hash_text *out)
{
    size_t at;
    hash_text made;
    span phc = phc_of(setting, &at);
    status result = fb_phc_make(row, means, password, phc, threads, &made);
    return result == STATUS_OK ? put_word(setting, at, &made, out) : result;
}

status
fb_django_argon2_verify(const format *row, const hash_means *means,
                        span password, span hash, unsigned threads,
                        bool *matches)
{
    size_t at;
    return fb_phc_verify(row, means, password, phc_of(hash, &at), threads,
                         matches);
}

/* bcrypt$$2b$12$... */
status
fb_django_bcrypt_check(const format *row, span setting, hash_parts *out)
{
    size_t at;
    span inner = inner_of(setting, &at);
    status result = fb_bcrypt_check(row, inner, out);
    out->digest_at += at;
    return result;
}

bool
fb_django_bcrypt_is_sole(span setting, span password)
{
    size_t at;
    return fb_bcrypt_is_sole(inner_of(setting, &at), password);
}

status
fb_django_bcrypt_make(const format *row, const hash_means *means,
                      span password, span setting, unsigned threads,
                      hash_text *out)
{
    size_t at;
    hash_text made;
    span inner = inner_of(setting, &at);
    status result =
        fb_bcrypt_make(row, means, password, inner, threads, &made);
    return result == STATUS_OK ? put_word(setting, at, &made, out) : result;
}

status
fb_django_bcrypt_verify(const format *row, const hash_means *means,
                        span password, span hash, unsigned threads,
                        bool *matches)
{
    size_t at;
    return fb_bcrypt_verify(row, means, password, inner_of(hash, &at), threads,
                            matches);
}

/* bcrypt_sha256$$2b$12$...: of the password's SHA-256 in hexadecimal. */
#define HEX_LEN (2 * SHA256_LEN)

CHECKED static status
write_hex(span password, char *hex)
{
    unsigned char digest[SHA256_LEN];
    fb_failure_forget();
    if (EVP_Digest(password.p, password.len, digest, NULL, EVP_sha256(), NULL)
        != 1) {
        return fb_failure_of(STATUS_CRYPTO_FAILED);
    }
    (void)fb_text_encode(digest, sizeof digest, CODE_HEX, hex);
    OPENSSL_cleanse(digest, sizeof digest);
    return STATUS_OK;
}

status
fb_django_bcrypt_sha256_make(const format *row, const hash_means *means,
                             span password, span setting, unsigned threads,
                             hash_text *out)
{
    char hex[HEX_LEN + 4]; /* as fb_text_encode asks */
    status result = write_hex(password, hex);
    if (result == STATUS_OK) {
        result = fb_django_bcrypt_make(row, means, (span){hex, HEX_LEN},
                                       setting, threads, out);
    }
    OPENSSL_cleanse(hex, sizeof hex);
    return result;
}

status
fb_django_bcrypt_sha256_verify(const format *row, const hash_means *means,
                               span password, span hash, unsigned threads,
                               bool *matches)
{
    char hex[HEX_LEN + 4]; /* as fb_text_encode asks */
    *matches = false;
    status result = write_hex(password, hex);
    if (result == STATUS_OK) {
        result = fb_django_bcrypt_verify(row, means, (span){hex, HEX_LEN},
                                         hash, threads, matches);
    }
    OPENSSL_cleanse(hex, sizeof hex);
    return result;
}
