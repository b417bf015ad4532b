/* What kdf_read.c reads and kdf.c computes: scrypt and PBKDF2. */
#ifndef FASTBEARER_KDF_H
#define FASTBEARER_KDF_H

#include "password/password.h"

#define KDF_SALT_MAX 256
#define KDF_DIGEST_MAX 128

struct kdf {
    const EVP_MD *(*md)(void); /* PBKDF2's; NULL is scrypt */
    uint64_t n;                /* scrypt's N; or PBKDF2's iterations */
    uint32_t r, p;             /* scrypt's */
    unsigned char salt[KDF_SALT_MAX], key[KDF_DIGEST_MAX];
    size_t salt_len, key_len; /* key_len is 0 in a bare setting */
    size_t setting_len;       /* up to where the key's text begins */
};

/* Reads a hash, or a setting that ends after its salt's separator. */
CHECKED status fb_kdf_read(const format *row, span text, kdf *out);

/* Refuses what is no cost, and what is more than is allowed. */
CHECKED status fb_kdf_check_cost(const kdf *read);

/* Writes a key of that size. */
CHECKED status fb_kdf_compute(const kdf *with, span password, size_t size,
                              unsigned char *key);

#endif
