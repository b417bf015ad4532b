/* HMAC (RFC 2104) from two prepared digest states, copied for every
 * message. */
#include "crypto/crypto.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

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
prepare_sha2(hmac_key *key, const unsigned char *inner,
             const unsigned char *outer, size_t block)
{
    return fb_sha2_init(&key->inner.sha2, key->digest)
           && fb_sha2_update(&key->inner.sha2, inner, block)
           && fb_sha2_init(&key->outer.sha2, key->digest)
           && fb_sha2_update(&key->outer.sha2, outer, block);
}

static bool
sign_sha2(const hmac_key *key, const void *message, size_t len,
          unsigned char *mac)
{
    sha2 state = key->inner.sha2;
    if (!fb_sha2_update(&state, message, len) || !fb_sha2_final(&state, mac)) {
        return false;
    }
    state = key->outer.sha2;
    return fb_sha2_update(&state, mac, key->size)
           && fb_sha2_final(&state, mac);
}

/* --- states of EVP, where the others may not be used --------------------- */

static bool
prepare_evp(hmac_key *key, const EVP_MD *md, const unsigned char *inner,
            const unsigned char *outer, size_t block)
{
    key->inner.evp = EVP_MD_CTX_new();
    key->outer.evp = EVP_MD_CTX_new();
    return key->inner.evp != NULL && key->outer.evp != NULL
           && EVP_DigestInit_ex2(key->inner.evp, md, NULL)
           && EVP_DigestUpdate(key->inner.evp, inner, block)
           && EVP_DigestInit_ex2(key->outer.evp, md, NULL)
           && EVP_DigestUpdate(key->outer.evp, outer, block);
}

static bool
sign_evp(const hmac_key *key, const void *message, size_t len,
         unsigned char *mac)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx != NULL && EVP_MD_CTX_copy_ex(ctx, key->inner.evp)
              && EVP_DigestUpdate(ctx, message, len)
              && EVP_DigestFinal_ex(ctx, mac, NULL)
              && EVP_MD_CTX_copy_ex(ctx, key->outer.evp)
              && EVP_DigestUpdate(ctx, mac, key->size)
              && EVP_DigestFinal_ex(ctx, mac, NULL);
    EVP_MD_CTX_free(ctx);
    return ok;
}

/* --- the key ------------------------------------------------------------- */

bool
fb_hmac_key_init(hmac_key *key, const digests *all, digest_id digest,
                 const unsigned char *secret, size_t len)
{
    unsigned char block_key[BLOCK_MAX] = {0};
    unsigned char inner[BLOCK_MAX], outer[BLOCK_MAX];
    const EVP_MD *md = all->md[digest];
    size_t block = (size_t)EVP_MD_get_block_size(md);
    bool ok = true;
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
                         : prepare_sha2(key, inner, outer, block));
    OPENSSL_cleanse(block_key, sizeof block_key);
    OPENSSL_cleanse(inner, sizeof inner);
    OPENSSL_cleanse(outer, sizeof outer);
    if (!ok) {
        fb_hmac_key_clear(key);
        ERR_clear_error();
    }
    return ok;
}

void
fb_hmac_key_clear(hmac_key *key)
{
    if (key->is_evp) {
        EVP_MD_CTX_free(key->inner.evp);
        EVP_MD_CTX_free(key->outer.evp);
    }
    OPENSSL_cleanse(key, sizeof *key);
}

bool
fb_hmac_sign(const hmac_key *key, const void *message, size_t len,
             unsigned char *mac)
{
    bool ok = key->is_evp ? sign_evp(key, message, len, mac)
                          : sign_sha2(key, message, len, mac);
    if (!ok) {
        ERR_clear_error();
    }
    return ok;
}

status
fb_hmac_verify(const hmac_key *key, span message, const unsigned char *claimed)
{
    unsigned char mac[MAC_MAX] = {0};
    if (!fb_hmac_sign(key, message.p, message.len, mac)) {
        return STATUS_CRYPTO_FAILED;
    }
    return CRYPTO_memcmp(mac, claimed, key->size) == 0
               ? STATUS_OK
               : STATUS_SIGNATURE_WRONG;
}
