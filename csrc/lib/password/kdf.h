/* What kdf_read.c reads and kdf.c computes: scrypt and PBKDF2. */
#ifndef FASTBEARER_KDF_H
#define FASTBEARER_KDF_H

#include "password/password.h"

#define KDF_SALT_MAX 256
#define KDF_DIGEST_MAX 128

typedef struct {
    bool is_scrypt;
    uint64_t n;       /* scrypt's N; or PBKDF2's iterations */
    uint32_t r, p;    /* scrypt's */
    digest_id digest; /* PBKDF2's */
    unsigned char salt[KDF_SALT_MAX], key[KDF_DIGEST_MAX];
    size_t salt_len, key_len; /* key_len is 0 in a bare setting */
    size_t key_size;          /* what key_len is in a whole hash */
    size_t setting_len;       /* up to where the key's text begins */
    text_code code;           /* of the key */
} kdf;

/* Reads a hash, or a setting that ends after its salt's separator. */
CHECKED status kdf_read(span text, kdf *out);

#endif
