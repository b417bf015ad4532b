/* scrypt (RFC 7914) and PBKDF2 (RFC 8018 5.2), by what is quickest. */
#include "password/password.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "password/kdf.h"

#define HEX_SALT 32 /* characters of Better Auth's salt */
#define HEX_KEY 128

bool
fb_kdf_is_better_auth(span text)
{
    return text.len == HEX_SALT + 1 + HEX_KEY && text.p[HEX_SALT] == ':';
}

status
fb_kdf_check(const format *row, span setting, hash_parts *out)
{
    kdf read;
    status result = fb_kdf_read(row, setting, &read);
    *out = (hash_parts){
        .rounds = read.n,
        .lanes = read.p,
        .block = read.r,
        .salt = read.salt_len,
        .digest = read.key_len,
        .digest_at = read.setting_len,
    };
    return result;
}

/* HMAC fills a key up with zeros, so that "a" and "a\0" are one password. */
bool
fb_kdf_is_sole(span setting, span password)
{
    (void)setting;
    return password.len == 0 || password.p[password.len - 1] != '\0';
}

static bool
scrypt(const kdf *with, span password, size_t size, unsigned char *key)
{
    uint64_t memory = 128 * with->r * (with->n + with->p + 2) + (1 << 20);
    return EVP_PBE_scrypt(password.p, password.len, with->salt, with->salt_len,
                          with->n, with->r, with->p, memory, key, size)
           == 1;
}

static bool
pbkdf2(const kdf *with, const digests *all, span password, size_t size,
       unsigned char *key)
{
    if (with->md == EVP_sha256 && all != NULL && all->by_value) {
        return fb_pbkdf2_sha256(with, all, password, size, key);
    }
    return PKCS5_PBKDF2_HMAC(password.p, (int)password.len, with->salt,
                             (int)with->salt_len, (int)with->n, with->md(),
                             (int)size, key)
           == 1;
}

/* Why libcrypto did not compute: it may lack the memory, or, under FIPS, the
 * algorithm. */
CHECKED static status
failure(void)
{
    int reason = ERR_GET_REASON(ERR_peek_last_error());
    ERR_clear_error();
    return reason == ERR_R_MALLOC_FAILURE || reason == 0
               ? STATUS_NO_MEMORY
               : STATUS_CRYPTO_FAILED;
}

status
fb_kdf_compute(const kdf *with, const hash_means *means, span password,
               size_t size, unsigned char *key)
{
    if (with->md == NULL && means->by_sodium) {
        const span salt = {(const char *)with->salt, with->salt_len};
        return fb_sodium_scrypt(password, salt, with->n, with->r, with->p, key,
                                size)
                   ? STATUS_OK
                   : STATUS_NO_MEMORY;
    }
    fb_failure_forget();
    bool ok = with->md == NULL
                  ? scrypt(with, password, size, key)
                  : pbkdf2(with, means->digests, password, size, key);
    return ok ? STATUS_OK : failure();
}

status
fb_kdf_make(const format *row, const hash_means *means, span password,
            span setting, unsigned threads, hash_text *out)
{
    (void)threads; /* one */
    kdf read;
    unsigned char key[KDF_DIGEST_MAX] = {0};
    status result = fb_kdf_read(row, setting, &read);
    if (result == STATUS_OK) {
        result = fb_kdf_compute(&read, means, password, row->key, key);
    }
    if (result == STATUS_OK) {
        memcpy(out->text, setting.p, read.setting_len);
        char *end = fb_text_encode(key, row->key, row->code,
                                   out->text + read.setting_len);
        out->len = (size_t)(end - out->text);
    }
    OPENSSL_cleanse(key, sizeof key);
    return result;
}

status
fb_kdf_verify(const format *row, const hash_means *means, span password,
              span hash, unsigned threads, bool *matches)
{
    (void)threads; /* one */
    kdf read;
    unsigned char key[KDF_DIGEST_MAX] = {0};
    *matches = false;
    status result = fb_kdf_read(row, hash, &read);
    if (result == STATUS_OK && read.key_len == 0) {
        result = STATUS_HASH_MALFORMED;
    }
    if (result == STATUS_OK) {
        result = fb_kdf_compute(&read, means, password, read.key_len, key);
    }
    if (result == STATUS_OK) {
        *matches = CRYPTO_memcmp(key, read.key, read.key_len) == 0;
    }
    OPENSSL_cleanse(key, sizeof key);
    return result;
}
