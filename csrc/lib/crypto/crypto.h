/* The room of digests, MACs and ciphers, over libcrypto. It may use base. */
#ifndef FASTBEARER_CRYPTO_H
#define FASTBEARER_CRYPTO_H

#include "base/base.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

/* --- failure.c ----------------------------------------------------------- */

/* Before calls of which it will be asked why they failed: others, or what went
 * well all the same, may have left errors in the thread's queue. */
void fb_failure_forget(void);

/* After a call that failed: empties the thread's queue of errors.
 * STATUS_NO_MEMORY if memory was wanting, or else what is given. */
CHECKED status fb_failure_of(status otherwise);

/* --- digest.c: the digests that algorithms name -------------------------- */

typedef enum {
    DIGEST_SHA256,
    DIGEST_SHA384,
    DIGEST_SHA512,
    DIGEST_COUNT
} digest_id;

typedef struct {
    EVP_MD *md[DIGEST_COUNT];
    bool by_value;  /* whether sha2.c may be used instead */
    bool by_sodium; /* whether sodium.c verifies Ed25519 */
} digests;

/* Fetches every digest once; false when libcrypto lacks one. With only_evp,
 * under FIPS, or where sha2.c disagrees, by_value is false; by_sodium always
 * is. */
bool fb_digest_fetch_all(digests *all, bool only_evp);
void fb_digest_free_all(digests *all);

/* --- sha2.c: SHA-2 by value, where digests.by_value says so -------------- */

/* SHA-384 and SHA-512: a state that is copied by assignment. */
typedef SHA512_CTX sha512;

bool fb_sha2_init(sha512 *state, digest_id digest);
bool fb_sha2_update(sha512 *state, const void *bytes, size_t len);
bool fb_sha2_final(sha512 *state, unsigned char *out);

/*
 * HMAC-SHA256 with a prepared key: the eight words of the state (FIPS 180-4
 * 6.2.2) after the block of ipad, and after that of opad. Never modified, so
 * any number of threads may share it; as secret as the key itself.
 */
#define SHA256_WORDS 8
typedef struct {
    uint32_t inner[SHA256_WORDS], outer[SHA256_WORDS];
} sha256_mac;

/* From the key, XORed with ipad and with opad: SHA256_CBLOCK bytes each. False
 * when libcrypto fails. */
bool fb_sha2_prepare(sha256_mac *key, const unsigned char *inner,
                     const unsigned char *outer);

/* Writes SHA256_DIGEST_LENGTH bytes, which may overlap the message. */
void fb_sha2_mac(const sha256_mac *key, span message, unsigned char *mac);

/* Puts the MAC of a MAC, both as SHA256_WORDS words, in its place: two blocks,
 * and one step of PBKDF2 (RFC 8018 5.2). */
void fb_sha2_mac_again(const sha256_mac *key, uint32_t *words);

/* Words from the first SHA256_DIGEST_LENGTH bytes, and back. */
void fb_sha2_get(const unsigned char *bytes, uint32_t *words);
void fb_sha2_put(const uint32_t *words, unsigned char *bytes);

/* Whether they digest as libcrypto's own object does. */
bool fb_sha2_agrees(digest_id digest, const EVP_MD *md);

/* --- equal.c: comparing MACs --------------------------------------------- */

/* Whether two MACs of `len` bytes, a multiple of 8, are the same, in constant
 * time. A file of its own: the checks of constant time put a function in its
 * place, and -flto alone makes it part of its callers. */
bool fb_equal_macs(const unsigned char *one, const unsigned char *other,
                   size_t len);

/* --- hmac.c: HMAC with a prepared key (RFC 2104) ------------------------- */

#define MAC_MAX 64

/* The states after ipad and after opad; never modified. */
typedef struct {
    union {
        sha256_mac sha256; /* unless is_evp, for DIGEST_SHA256 */
        struct {
            sha512 inner, outer;
        } sha512; /* unless is_evp, for the others */
        struct {
            EVP_MD_CTX *inner, *outer;
        } evp;
    } of;
    digest_id digest;
    size_t size; /* bytes of a MAC */
    bool is_evp;
} hmac_key;

/* Where it fails, nothing is left to clear. */
CHECKED status fb_hmac_key_init(hmac_key *key, const digests *all,
                                digest_id digest, const unsigned char *secret,
                                size_t len);
void fb_hmac_key_clear(hmac_key *key);

/* Writes key->size bytes. Any number of threads may share the key. */
CHECKED status fb_hmac_sign(const hmac_key *key, const void *message,
                            size_t len, unsigned char *mac);

/* Whether that is the message's MAC, key->size bytes, in constant time.
 * STATUS_SIGNATURE_WRONG where it is another. */
CHECKED status fb_hmac_verify(const hmac_key *key, span message,
                              const unsigned char *claimed);

/* --- sodium.c: Ed25519 and scrypt by libsodium --------------------------- */

/* libsodium's version, or NULL where this was built without it. */
const char *fb_sodium_version(void);

/* Whether there is a libsodium that computes what libcrypto computes. What
 * follows may be called once it has said so. */
bool fb_sodium_has_ed25519(void);
bool fb_sodium_has_scrypt(void);

/* Whether that is the message's signature, of 64 bytes, under a point of 32
 * that is canonical and of large order. It refuses every R of small order,
 * which libcrypto does not. */
bool fb_sodium_verify(const unsigned char *point, span message,
                      const unsigned char *signature);

/* RFC 7914, for parameters that it allows. False if there is no memory. */
bool fb_sodium_scrypt(span password, span salt, uint64_t n, uint32_t r,
                      uint32_t p, unsigned char *key, size_t size);

/* --- aead.c: content encryption (RFC 7518 5) ----------------------------- */

#define AEAD_BLOCK 16
#define AEAD_TAG_MAX 32

typedef struct {
    const char *name;
    size_t key, iv, tag; /* bytes, exactly */
    const EVP_CIPHER *(*cipher)(void);
    int mac; /* the digest_id of the MAC of CBC, or -1 for GCM */
} aead;

/* The row of that name, or NULL. */
const aead *fb_aead_find(const char *name, size_t len);

/* Writes at most text.len + AEAD_BLOCK bytes, and how many; and the tag. key
 * and iv have the lengths of the row. */
CHECKED status fb_aead_seal(const aead *with, const digests *all,
                            const unsigned char *key, const unsigned char *iv,
                            span aad, span text, unsigned char *out,
                            size_t *out_len, unsigned char *tag);

/* Writes at most text.len + AEAD_BLOCK bytes, and how many; the tag has the
 * length of the row. STATUS_SIGNATURE_WRONG where anything was altered; what
 * was written is worth nothing then. */
CHECKED status fb_aead_open(const aead *with, const digests *all,
                            const unsigned char *key, const unsigned char *iv,
                            span aad, span text, const unsigned char *tag,
                            unsigned char *out, size_t *out_len);

/* The same for CBC, with the MAC of its key prepared. */
CHECKED status fb_aead_mac_init(hmac_key *mac, const aead *with,
                                const digests *all, const unsigned char *key);
CHECKED status fb_aead_open_cbc(const aead *with, const hmac_key *mac,
                                const unsigned char *key,
                                const unsigned char *iv, span aad, span text,
                                const unsigned char *tag, unsigned char *out,
                                size_t *out_len);

/* --- key_wrap.c: key wrapping (RFC 3394, RFC 7518 4.3, 4.4) -------------- */

/* RFC 3394: a key of a multiple of 8 bytes, at least 16 and at most
 * WRAP_KEY_MAX; kek of 16, 24 or 32. Writes 8 bytes more, or less. */
#define WRAP_KEY_MAX 4096
CHECKED status fb_key_wrap_aes(span kek, span key, unsigned char *out);
CHECKED status fb_key_unwrap_aes(span kek, span wrapped, unsigned char *out);

/* RFC 8017 7.1, with MGF1 of the same digest, for the key of an RSA modulus.
 * Writes at most RSA_BYTES_MAX bytes, and how many. */
#define RSA_BYTES_MAX 2048
CHECKED status fb_key_wrap_oaep(EVP_PKEY *evp, bool sha256, span text,
                                unsigned char *out, size_t *out_len);
CHECKED status fb_key_unwrap_oaep(EVP_PKEY *evp, bool sha256, span text,
                                  unsigned char *out, size_t *out_len);

#endif
