/* What the readers of old formats read, and what old.c verifies by. */
#ifndef FASTBEARER_OLD_H
#define FASTBEARER_OLD_H

#include "password/password.h"

#define OLD_SALT_MAX 256
#define OLD_DIGEST_MAX 64

/* The password is hashed again and again, so its length is a cost: libxcrypt
 * takes no longer one (CRYPT_MAX_PASSPHRASE_SIZE). */
#define OLD_PASSWORD_MAX 512

struct old_hash {
    unsigned char salt[OLD_SALT_MAX], digest[OLD_DIGEST_MAX];
    size_t salt_len;
    uint32_t rounds; /* 0 where a format does not say */
};

/* --- sha_crypt.c: $5$ and $6$, [rounds=N$]salt$digest -------------------- */

bool fb_sha_crypt_read(const format *row, span rest, old_hash *out);
CHECKED status fb_sha_crypt_compute(const format *row, const old_hash *with,
                                    span password, unsigned char *digest);

/* --- md5_crypt.c: $1$ and $apr1$, salt$digest ---------------------------- */

bool fb_md5_crypt_read(const format *row, span rest, old_hash *out);
CHECKED status fb_md5_crypt_compute(const format *row, const old_hash *with,
                                    span password, unsigned char *digest);

/* --- phpass.c: $P$ and $H$ ----------------------------------------------- */

bool fb_phpass_read(const format *row, span rest, old_hash *out);
CHECKED status fb_phpass_compute(const format *row, const old_hash *with,
                                 span password, unsigned char *digest);

/* --- salted.c: single rounds of a digest --------------------------------- */

bool fb_salted_read_dollar(const format *row, span rest, old_hash *out);
bool fb_salted_read_ldap(const format *row, span rest, old_hash *out);
bool fb_salted_read_ldap_bare(const format *row, span rest, old_hash *out);
CHECKED status fb_salted_salt_first(const format *row, const old_hash *with,
                                    span password, unsigned char *digest);
CHECKED status fb_salted_salt_last(const format *row, const old_hash *with,
                                   span password, unsigned char *digest);
CHECKED status fb_salted_hmac(const format *row, const old_hash *with,
                              span password, unsigned char *digest);

/* --- digester.c: one digest after another, of pieces --------------------- */

typedef struct {
    EVP_MD_CTX *context;
    bool ok; /* so far */
} digester;

/* Each may be called whatever went before; fb_digester_close tells. */
digester fb_digester_open(const EVP_MD *md);
void fb_digester_add(digester *of, const void *bytes, size_t len);
/* The bytes again and again, until there are `len` of them. */
void fb_digester_repeat(digester *of, const void *bytes, size_t size,
                        size_t len);
/* Writes the digest, and begins the next one. */
void fb_digester_end(digester *of, unsigned char *digest);
CHECKED status fb_digester_close(digester *of);

/* --- crypt64.c: the alphabet of crypt(3), the lowest bits first ---------- */

/* Decodes exactly `size` bytes of which the n-th is out[order[n]], or out[n]
 * for NULL; false for another length, or bits that are left over. */
bool fb_crypt64_decode(span text, const unsigned char *order,
                       unsigned char *bytes, size_t size);

/* The value of a character, or 64. */
unsigned fb_crypt64_value(char c);

#endif
