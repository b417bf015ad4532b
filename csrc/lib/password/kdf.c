/* scrypt (RFC 7914) and PBKDF2 (RFC 8018 5.2), by libcrypto. */
#include "password/password.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "password/kdf.h"

#define KEY_DEFAULT 32 /* bytes */
#define HEX_SALT 32    /* characters of Better Auth's salt */
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
compute(const kdf *with, span password, unsigned char *key)
{
    if (with->is_scrypt) {
        uint64_t memory = 128 * with->r * (with->n + with->p + 2) + (1 << 20);
        return EVP_PBE_scrypt(password.p, password.len, with->salt,
                              with->salt_len, with->n, with->r, with->p,
                              memory, key, with->key_len)
               == 1;
    }
    const EVP_MD *md =
        with->digest == DIGEST_SHA256 ? EVP_sha256() : EVP_sha512();
    return PKCS5_PBKDF2_HMAC(password.p, (int)password.len, with->salt,
                             (int)with->salt_len, (int)with->n, md,
                             (int)with->key_len, key)
           == 1;
}

status
kdf_make(const hash_means *means, span password, span setting,
         unsigned threads, hash_text *out)
{
    (void)means;
    (void)threads; /* one */
    kdf read;
    unsigned char key[KDF_DIGEST_MAX];
    status result = kdf_read(setting, &read);
    if (result == STATUS_OK
        && read.setting_len + 2 * sizeof key + 4 > sizeof out->text) {
        result = STATUS_HASH_MALFORMED;
    }
    if (result != STATUS_OK) {
        return result;
    }
    if (read.key_len == 0) {
        read.key_len = KEY_DEFAULT;
    }
    if (compute(&read, password, key)) {
        memcpy(out->text, setting.p, read.setting_len);
        char *end = text_encode(key, read.key_len, read.code,
                                out->text + read.setting_len);
        out->len = (size_t)(end - out->text);
    } else {
        ERR_clear_error();
        result = STATUS_NO_MEMORY;
    }
    OPENSSL_cleanse(key, sizeof key);
    return result;
}
