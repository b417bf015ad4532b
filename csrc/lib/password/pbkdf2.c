/* PBKDF2 with HMAC-SHA256 (RFC 8018 5.2), of which each step is two blocks of
 * SHA-256 and nothing else: libcrypto starts a MAC for each, by its public
 * interface. */
#include "password/password.h"

#include <openssl/crypto.h>

#include "password/kdf.h"

#define NUMBER 4 /* bytes of a block's */

/* F(P, S, c, i) */
static void
compute_block(const sha256_mac *key, const kdf *with, uint32_t number,
              unsigned char *out)
{
    char first[KDF_SALT_MAX + NUMBER];
    uint32_t step[SHA256_WORDS], sum[SHA256_WORDS];
    memcpy(first, with->salt, with->salt_len);
    for (int i = 0; i < NUMBER; i++) {
        first[with->salt_len + (size_t)i] = (char)(number >> (24 - 8 * i));
    }
    fb_sha2_mac(key, (span){first, with->salt_len + NUMBER}, out);
    fb_sha2_get(out, step);
    memcpy(sum, step, sizeof sum);
    for (uint64_t i = 1; i < with->n; i++) {
        fb_sha2_mac_again(key, step);
        for (int word = 0; word < SHA256_WORDS; word++) {
            sum[word] ^= step[word];
        }
    }
    fb_sha2_put(sum, out);
    OPENSSL_cleanse(step, sizeof step);
    OPENSSL_cleanse(sum, sizeof sum);
}

bool
fb_pbkdf2_sha256(const kdf *with, const digests *all, span password,
                 size_t size, unsigned char *key)
{
    unsigned char block[SHA256_DIGEST_LENGTH];
    hmac_key mac;
    if (fb_hmac_key_init(&mac, all, DIGEST_SHA256,
                         (const unsigned char *)password.p, password.len)
        != STATUS_OK) {
        return false;
    }
    uint32_t number = 1;
    for (size_t at = 0; at < size; at += sizeof block) {
        size_t left = size - at;
        compute_block(&mac.of.sha256, with, number++, block);
        memcpy(key + at, block, left < sizeof block ? left : sizeof block);
    }
    fb_hmac_key_clear(&mac);
    OPENSSL_cleanse(block, sizeof block);
    return true;
}
