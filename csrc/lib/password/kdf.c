/* scrypt (RFC 7914) and PBKDF2 (RFC 8018 5.2), by libcrypto. */
#include "password/password.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "password/kdf.h"

#define HEX_SALT 32 /* characters of Better Auth's salt */
#define HEX_KEY 128

bool
kdf_is_better_auth(span text)
{
    return text.len == HEX_SALT + 1 + HEX_KEY && text.p[HEX_SALT] == ':';
}

status
kdf_check(span setting, size_t *digest)
{
    kdf read;
    status result = kdf_read(setting, &read);
    *digest = read.key_len == 0 ? 0 : read.setting_len;
    return result;
}

static bool
scrypt(const kdf *with, span password, unsigned char *key)
{
    uint64_t memory = 128 * with->r * (with->n + with->p + 2) + (1 << 20);
    return EVP_PBE_scrypt(password.p, password.len, with->salt, with->salt_len,
                          with->n, with->r, with->p, memory, key,
                          with->key_size)
           == 1;
}

static bool
pbkdf2(const kdf *with, span password, unsigned char *key)
{
    const EVP_MD *md =
        with->digest == DIGEST_SHA256 ? EVP_sha256() : EVP_sha512();
    return PKCS5_PBKDF2_HMAC(password.p, (int)password.len, with->salt,
                             (int)with->salt_len, (int)with->n, md,
                             (int)with->key_size, key)
           == 1;
}

/* Writes with->key_size bytes. */
CHECKED static status
compute(const kdf *with, span password, unsigned char *key)
{
    bool ok = with->is_scrypt ? scrypt(with, password, key)
                              : pbkdf2(with, password, key);
    if (!ok) {
        ERR_clear_error();
    }
    return ok ? STATUS_OK : STATUS_NO_MEMORY;
}

/* Reads what a hash_text has room for, with a key of any length. */
CHECKED static status
read_fitting(span text, kdf *read)
{
    status result = kdf_read(text, read);
    bool fits = read->setting_len + 2 * KDF_DIGEST_MAX + 4 <= HASH_TEXT_MAX;
    return result == STATUS_OK && !fits ? STATUS_HASH_MALFORMED : result;
}

status
kdf_make(const hash_means *means, span password, span setting,
         unsigned threads, hash_text *out)
{
    (void)means;
    (void)threads; /* one */
    kdf read;
    unsigned char key[KDF_DIGEST_MAX] = {0};
    status result = read_fitting(setting, &read);
    if (result == STATUS_OK) {
        result = compute(&read, password, key);
    }
    if (result == STATUS_OK) {
        memcpy(out->text, setting.p, read.setting_len);
        char *end = text_encode(key, read.key_size, read.code,
                                out->text + read.setting_len);
        out->len = (size_t)(end - out->text);
    }
    OPENSSL_cleanse(key, sizeof key);
    return result;
}

status
kdf_verify(const hash_means *means, span password, span hash, unsigned threads,
           bool *matches)
{
    (void)means;
    (void)threads; /* one */
    kdf read;
    unsigned char key[KDF_DIGEST_MAX] = {0};
    *matches = false;
    status result = read_fitting(hash, &read);
    if (result == STATUS_OK && read.key_len == 0) {
        result = STATUS_HASH_MALFORMED;
    }
    if (result == STATUS_OK) {
        result = compute(&read, password, key);
    }
    if (result == STATUS_OK) {
        *matches = CRYPTO_memcmp(key, read.key, read.key_len) == 0;
    }
    OPENSSL_cleanse(key, sizeof key);
    return result;
}
