/* Content encryption (RFC 7518 5). */
#include "crypto/crypto.h"

#include <limits.h>
#include <string.h>

#include <openssl/crypto.h>

enum { GCM = -1 };

/* RFC 7518 5.2.2.1: of a CBC key the first half is the MAC's. */
static const aead table[] = {
    {"A128CBC-HS256", 32, 16, 16, EVP_aes_128_cbc, DIGEST_SHA256},
    {"A192CBC-HS384", 48, 16, 24, EVP_aes_192_cbc, DIGEST_SHA384},
    {"A256CBC-HS512", 64, 16, 32, EVP_aes_256_cbc, DIGEST_SHA512},
    {"A128GCM", 16, 12, 16, EVP_aes_128_gcm, GCM},
    {"A192GCM", 24, 12, 16, EVP_aes_192_gcm, GCM},
    {"A256GCM", 32, 12, 16, EVP_aes_256_gcm, GCM},
};

const aead *
fb_aead_find(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strlen(table[i].name) == len
            && memcmp(table[i].name, name, len) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

static bool
fits(span text)
{
    return text.len <= INT_MAX - 2 * AEAD_BLOCK;
}

/* --- AES-CBC with HMAC --------------------------------------------------- */

/* RFC 7518 5.2.2.1: the MAC of aad, iv, ciphertext and the bits of aad. */
CHECKED static status
cbc_tag(const aead *with, const hmac_key *prepared, const unsigned char *iv,
        span aad, span cipher, unsigned char *tag)
{
    unsigned char mac[MAC_MAX] = {0};
    size_t len = aad.len + with->iv + cipher.len + 8;
    unsigned char *whole = OPENSSL_malloc(len);
    if (whole == NULL) {
        return STATUS_NO_MEMORY;
    }
    unsigned char *at = whole;
    memcpy(at, aad.p, aad.len);
    at += aad.len;
    memcpy(at, iv, with->iv);
    at += with->iv;
    memcpy(at, cipher.p, cipher.len);
    at += cipher.len;
    uint64_t bits = (uint64_t)aad.len * 8;
    for (int i = 0; i < 8; i++) {
        at[i] = (unsigned char)(bits >> (56 - 8 * i));
    }
    status result = fb_hmac_sign(prepared, whole, len, mac);
    OPENSSL_free(whole);
    memcpy(tag, mac, with->tag);
    OPENSSL_cleanse(mac, sizeof mac);
    return result;
}

status
fb_aead_mac_init(hmac_key *mac, const aead *with, const digests *all,
                 const unsigned char *key)
{
    return fb_hmac_key_init(mac, all, (digest_id)with->mac, key,
                            with->key / 2);
}

/* Once all was ready, a text is wrong; before, it was not looked at. */
CHECKED static status
judge(bool is_ready, bool ok, bool encrypts)
{
    return ok ? STATUS_OK
              : fb_failure_of(is_ready && !encrypts ? STATUS_SIGNATURE_WRONG
                                                    : STATUS_CRYPTO_FAILED);
}

CHECKED static status
cbc_crypt(const aead *with, const unsigned char *key, const unsigned char *iv,
          bool encrypts, span text, unsigned char *out, size_t *out_len)
{
    int first = 0, last = 0;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    bool is_ready =
        context != NULL
        && EVP_CipherInit_ex(context, with->cipher(), NULL,
                             key + with->key / 2, iv, encrypts)
               > 0
        && EVP_CipherUpdate(context, out, &first,
                            (const unsigned char *)text.p, (int)text.len)
               > 0;
    bool ok = is_ready && EVP_CipherFinal_ex(context, out + first, &last) > 0;
    EVP_CIPHER_CTX_free(context);
    *out_len = ok ? (size_t)(first + last) : 0;
    return judge(is_ready, ok, encrypts);
}

status
fb_aead_open_cbc(const aead *with, const hmac_key *mac,
                 const unsigned char *key, const unsigned char *iv, span aad,
                 span text, const unsigned char *tag, unsigned char *out,
                 size_t *out_len)
{
    unsigned char expected[AEAD_TAG_MAX];
    *out_len = 0;
    if (!fits(text) || !fits(aad)) {
        return STATUS_TOKEN_TOO_LONG;
    }
    fb_failure_forget();
    /* The MAC first: what is not authentic is not decrypted. */
    status result = cbc_tag(with, mac, iv, aad, text, expected);
    if (result != STATUS_OK) {
        return result;
    }
    return CRYPTO_memcmp(expected, tag, with->tag) == 0
               ? cbc_crypt(with, key, iv, false, text, out, out_len)
               : STATUS_SIGNATURE_WRONG;
}

/* --- AES-GCM ------------------------------------------------------------- */

CHECKED static status
gcm_crypt(const aead *with, const unsigned char *key, const unsigned char *iv,
          bool encrypts, span aad, span text, unsigned char *out,
          unsigned char *tag)
{
    int done = 0;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    bool is_ready =
        context != NULL
        && EVP_CipherInit_ex(context, with->cipher(), NULL, key, iv, encrypts)
               > 0
        && EVP_CipherUpdate(context, NULL, &done, (const unsigned char *)aad.p,
                            (int)aad.len)
               > 0
        && EVP_CipherUpdate(context, out, &done, (const unsigned char *)text.p,
                            (int)text.len)
               > 0
        && (encrypts
            || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG,
                                   (int)with->tag, tag)
                   > 0);
    bool ok = is_ready && EVP_CipherFinal_ex(context, out + done, &done) > 0
              && (!encrypts
                  || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG,
                                         (int)with->tag, tag)
                         > 0);
    EVP_CIPHER_CTX_free(context);
    return judge(is_ready, ok, encrypts);
}

/* --- both ---------------------------------------------------------------- */

status
fb_aead_seal(const aead *with, const digests *all, const unsigned char *key,
             const unsigned char *iv, span aad, span text, unsigned char *out,
             size_t *out_len, unsigned char *tag)
{
    if (!fits(text) || !fits(aad)) {
        return STATUS_TOKEN_TOO_LONG;
    }
    fb_failure_forget();
    if (with->mac == GCM) {
        *out_len = text.len;
        return gcm_crypt(with, key, iv, true, aad, text, out, tag);
    }
    hmac_key mac;
    status result = cbc_crypt(with, key, iv, true, text, out, out_len);
    if (result == STATUS_OK) {
        result = fb_aead_mac_init(&mac, with, all, key);
    }
    if (result != STATUS_OK) {
        return result;
    }
    result = cbc_tag(with, &mac, iv, aad, (span){(char *)out, *out_len}, tag);
    fb_hmac_key_clear(&mac);
    return result;
}

status
fb_aead_open(const aead *with, const digests *all, const unsigned char *key,
             const unsigned char *iv, span aad, span text,
             const unsigned char *tag, unsigned char *out, size_t *out_len)
{
    unsigned char expected[AEAD_TAG_MAX];
    *out_len = 0;
    if (!fits(text) || !fits(aad)) {
        return STATUS_TOKEN_TOO_LONG;
    }
    fb_failure_forget();
    if (with->mac == GCM) {
        memcpy(expected, tag, with->tag);
        status opened =
            gcm_crypt(with, key, iv, false, aad, text, out, expected);
        if (opened != STATUS_OK) {
            OPENSSL_cleanse(out, text.len);
            return opened;
        }
        *out_len = text.len;
        return STATUS_OK;
    }
    hmac_key mac;
    status result = fb_aead_mac_init(&mac, with, all, key);
    if (result == STATUS_OK) {
        result = fb_aead_open_cbc(with, &mac, key, iv, aad, text, tag, out,
                                  out_len);
        fb_hmac_key_clear(&mac);
    }
    return result;
}
