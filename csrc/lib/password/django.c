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

CHECKED static status
check_inner(span setting, size_t *digest,
            CHECKED status (*check)(span setting, size_t *digest))
{
    size_t at;
    span inner = inner_of(setting, &at);
    status result = check(inner, digest);
    *digest += *digest == 0 ? 0 : at;
    return result;
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
django_argon2_check(span setting, size_t *digest)
{
    size_t at;
    span inner = inner_of(setting, &at);
    char phc[HASH_TEXT_MAX];
    *digest = 0;
    if (inner.len + 1 > sizeof phc) {
        return STATUS_HASH_MALFORMED;
    }
    phc[0] = '$';
    memcpy(phc + 1, inner.p, inner.len);
    status result = phc_check((span){phc, inner.len + 1}, digest);
    *digest += *digest == 0 ? 0 : at - 1;
    return result;
}

status
django_argon2_make(const hash_means *means, span password, span setting,
                   unsigned threads, hash_text *out)
{
    size_t at;
    hash_text made;
    (void)inner_of(setting, &at);
    /* the word's '$' is the PHC text's first one */
    span phc = {setting.p + at - 1, setting.len - at + 1};
    status result = phc_make(means, password, phc, threads, &made);
    return result == STATUS_OK ? put_word(setting, at - 1, &made, out)
                               : result;
}

/* bcrypt$$2b$12$... */
status
django_bcrypt_check(span setting, size_t *digest)
{
    return check_inner(setting, digest, bcrypt_check);
}

status
django_bcrypt_make(const hash_means *means, span password, span setting,
                   unsigned threads, hash_text *out)
{
    size_t at;
    hash_text made;
    span inner = inner_of(setting, &at);
    status result = bcrypt_make(means, password, inner, threads, &made);
    return result == STATUS_OK ? put_word(setting, at, &made, out) : result;
}

/* bcrypt_sha256$$2b$12$...: of the password's SHA-256 in hexadecimal. */
status
django_bcrypt_sha256_make(const hash_means *means, span password, span setting,
                          unsigned threads, hash_text *out)
{
    unsigned char digest[SHA256_LEN];
    char hex[2 * SHA256_LEN + 4];
    if (EVP_Digest(password.p, password.len, digest, NULL, EVP_sha256(), NULL)
        != 1) {
        return STATUS_CRYPTO_FAILED;
    }
    char *end = text_encode(digest, sizeof digest, CODE_HEX, hex);
    status result = django_bcrypt_make(means, (span){hex, (size_t)(end - hex)},
                                       setting, threads, out);
    OPENSSL_cleanse(digest, sizeof digest);
    OPENSSL_cleanse(hex, sizeof hex);
    return result;
}
