/* scrypt and PBKDF2: what is read of their texts, and what kdf.c computes. */
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
CHECKED status fb_kdf_compute(const kdf *with, const hash_means *means,
                              span password, size_t size, unsigned char *key);

/* --- pbkdf2.c: PBKDF2-HMAC-SHA256 by value ------------------------------- */

/* Where all->by_value says so. False when libcrypto fails. */
bool fb_pbkdf2_sha256(const kdf *with, const digests *all, span password,
                      size_t size, unsigned char *key);

/* --- kdf_read.c, kdf_read_packed.c, kdf_write.c: their texts ------------- */

bool fb_kdf_read_passlib_scrypt(span text, span rest, kdf *out);
bool fb_kdf_read_django_scrypt(span text, span rest, kdf *out);
bool fb_kdf_read_werkzeug_scrypt(span text, span rest, kdf *out);
bool fb_kdf_read_better_auth(span text, span rest, kdf *out);
bool fb_kdf_read_passlib_pbkdf2(span text, span rest, kdf *out);
bool fb_kdf_read_django_pbkdf2(span text, span rest, kdf *out);
bool fb_kdf_read_werkzeug_pbkdf2(span text, span rest, kdf *out);

/* ASP.NET Core Identity's (dotnet/aspnetcore, PasswordHasher.cs). */
bool fb_kdf_is_aspnet_v2(span text);
bool fb_kdf_read_aspnet_v2(span text, span rest, kdf *out);
bool fb_kdf_read_aspnet_v3(span text, span rest, kdf *out);
/* Spring Security's (Pbkdf2PasswordEncoder, SCryptPasswordEncoder), with the
 * costs of their defaults and no secret. */
bool fb_kdf_read_spring_pbkdf2(span text, span rest, kdf *out);
bool fb_kdf_read_spring_pbkdf2_v5_8(span text, span rest, kdf *out);
bool fb_kdf_read_spring_scrypt(span text, span rest, kdf *out);
/* Atlassian Crowd's and Jira's (passlib, atlassian_pbkdf2_sha1). */
bool fb_kdf_read_atlassian(span text, span rest, kdf *out);

bool fb_kdf_write_passlib_scrypt(const format *row, const hash_parts *parts,
                                 span salt, hash_text *out);
bool fb_kdf_write_better_auth(const format *row, const hash_parts *parts,
                              span salt, hash_text *out);
bool fb_kdf_write_passlib_pbkdf2(const format *row, const hash_parts *parts,
                                 span salt, hash_text *out);
bool fb_kdf_write_django_pbkdf2(const format *row, const hash_parts *parts,
                                span salt, hash_text *out);

#endif
