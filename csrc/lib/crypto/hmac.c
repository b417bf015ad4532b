/* HMAC (RFC 2104) from two prepared digest states, copied for every
 * message. */
#include "crypto/crypto.h"

#include <string.h>

#include <openssl/crypto.h>

#define BLOCK_MAX 128 /* SHA-384 and SHA-512 */

static void
pad(unsigned char *padded, const unsigned char *block_key, size_t block,
    unsigned char with)
{
    for (size_t i = 0; i < block; i++) {
        padded[i] = block_key[i] ^ with;
    }
}

/* --- states by value ----------------------------------------------------- */

static bool
prepare_value(hmac_key *key, const unsigned char *inner,
              const unsigned char *outer, size_t block)
{
    if (key->digest == DIGEST_SHA256) {
        return fb_sha2_prepare(&key->of.sha256, inner, outer);
    }
    return fb_sha2_init(&key->of.sha512.inner, key->digest)
           && fb_sha2_update(&key->of.sha512.inner, inner, block)
           && fb_sha2_init(&key->of.sha512.outer, key->digest)
           && fb_sha2_update(&key->of.sha512.outer, outer, block);
}

static bool
sign_sha512(const hmac_key *key, span message, unsigned char *mac)
{
    sha512 state = key->of.sha512.inner;
    if (!fb_sha2_update(&state, message.p, message.len)
        || !fb_sha2_final(&state, mac)) {
        return false;
    }
    state = key->of.sha512.outer;
    return fb_sha2_update(&state, mac, key->size)
           && fb_sha2_final(&state, mac);
}

/* --- states of EVP, where the others may not be used --------------------- */

static bool
prepare_evp(hmac_key *key, const EVP_MD *md, const unsigned char *inner,
            const unsigned char *outer, size_t block)
{
    key->of.evp.inner = EVP_MD_CTX_new();
    key->of.evp.outer = EVP_MD_CTX_new();
    return key->of.evp.inner != NULL && key->of.evp.outer != NULL
           && EVP_DigestInit_ex2(key->of.evp.inner, md, NULL)
           && EVP_DigestUpdate(key->of.evp.inner, inner, block)
           && EVP_DigestInit_ex2(key->of.evp.outer, md, NULL)
           && EVP_DigestUpdate(key->of.evp.outer, outer, block);
}

static bool
sign_evp(const hmac_key *key, span message, unsigned char *mac)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx != NULL && EVP_MD_CTX_copy_ex(ctx, key->of.evp.inner)
              && EVP_DigestUpdate(ctx, message.p, message.len)
              && EVP_DigestFinal_ex(ctx, mac, NULL)
              && EVP_MD_CTX_copy_ex(ctx, key->of.evp.outer)
              && EVP_DigestUpdate(ctx, mac, key->size)
              && EVP_DigestFinal_ex(ctx, mac, NULL);
    EVP_MD_CTX_free(ctx);
    return ok;
}

/* --- the key ------------------------------------------------------------- */

status
fb_hmac_key_init(hmac_key *key, const digests *all, digest_id digest,
                 const unsigned char *secret, size_t len)
{
    unsigned char block_key[BLOCK_MAX] = {0};
    unsigned char inner[BLOCK_MAX], outer[BLOCK_MAX];
    const EVP_MD *md = all->md[digest];
    size_t block = (size_t)EVP_MD_get_block_size(md);
    bool ok = true;
    fb_failure_forget();
    *key = (hmac_key){.digest = digest,
                      .size = (size_t)EVP_MD_get_size(md),
                      .is_evp = !all->by_value};
    if (len > block) { /* RFC 2104 3: longer keys are hashed first */
        ok = EVP_Digest(secret, len, block_key, NULL, md, NULL);
    } else {
        memcpy(block_key, secret, len);
    }
    pad(inner, block_key, block, 0x36);
    pad(outer, block_key, block, 0x5c);
    ok = ok
         && (key->is_evp ? prepare_evp(key, md, inner, outer, block)
                         : prepare_value(key, inner, outer, block));
    OPENSSL_cleanse(block_key, sizeof block_key);
    OPENSSL_cleanse(inner, sizeof inner);
    OPENSSL_cleanse(outer, sizeof outer);
    if (!ok) {
        fb_hmac_key_clear(key);
        return fb_failure_of(STATUS_CRYPTO_FAILED);
    }
    return STATUS_OK;
}

void
fb_hmac_key_clear(hmac_key *key)
{
    if (key->is_evp) {
        EVP_MD_CTX_free(key->of.evp.inner);
        EVP_MD_CTX_free(key->of.evp.outer);
    }
    OPENSSL_cleanse(key, sizeof *key);
}

status
fb_hmac_sign(const hmac_key *key, const void *message, size_t len,
             unsigned char *mac)
{
    const span text = {message, len};
    if (!key->is_evp && key->digest == DIGEST_SHA256) {
        fb_sha2_mac(&key->of.sha256, text, mac);
        return STATUS_OK;
    }
    fb_failure_forget();
    bool ok =
        key->is_evp ? sign_evp(key, text, mac) : sign_sha512(key, text, mac);
    return ok ? STATUS_OK : fb_failure_of(STATUS_CRYPTO_FAILED);
}

status
fb_hmac_verify(const hmac_key *key, span message, const unsigned char *claimed)
{
    unsigned char mac[MAC_MAX] = {0};
    status result = fb_hmac_sign(key, message.p, message.len, mac);
    if (result != STATUS_OK) {
        return result;
    }
    return fb_equal_macs(mac, claimed, key->size) ? STATUS_OK
                                                  : STATUS_SIGNATURE_WRONG;
}
