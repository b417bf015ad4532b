/* The texts of kdf_read.c, written for hashes of nobody. */
#include "password/password.h"

#include <stdio.h>
#include <string.h>

#include "password/kdf.h"

/* A printed beginning, then a salt and what separates it from the digest. */
static bool
put_salt(const char *salt, size_t len, char end, hash_text *out)
{
    if (out->len + len + 1 > sizeof out->text) {
        return false;
    }
    memcpy(out->text + out->len, salt, len);
    out->text[out->len + len] = end;
    out->len += len + 1;
    return true;
}

static bool
put_coded_salt(span salt, text_code code, hash_text *out)
{
    char text[2 * KDF_SALT_MAX + 4];
    if (salt.len > KDF_SALT_MAX) {
        return false;
    }
    char *end =
        fb_text_encode((const unsigned char *)salt.p, salt.len, code, text);
    return put_salt(text, (size_t)(end - text), '$', out);
}

static bool
put_key(const format *row, hash_text *out)
{
    static const unsigned char zeros[KDF_DIGEST_MAX];
    if (out->len + 2 * row->key + 4 > sizeof out->text) {
        return false;
    }
    char *end =
        fb_text_encode(zeros, row->key, row->code, out->text + out->len);
    out->len = (size_t)(end - out->text);
    return true;
}

bool
fb_kdf_write_passlib_scrypt(const format *row, const hash_parts *parts,
                            span salt, hash_text *out)
{
    unsigned log_n = 0;
    while (log_n < 63 && (uint64_t)1 << log_n < parts->rounds) {
        log_n++;
    }
    out->len = (size_t)snprintf(
        out->text, sizeof out->text, "%sln=%u,r=%u,p=%u$", row->prefixes[0],
        log_n, (unsigned)parts->block, (unsigned)parts->lanes);
    return (uint64_t)1 << log_n == parts->rounds
           && put_coded_salt(salt, row->code, out) && put_key(row, out);
}

/* Its costs are always the same, and its salt is written as it is. */
bool
fb_kdf_write_better_auth(const format *row, const hash_parts *parts, span salt,
                         hash_text *out)
{
    (void)parts;
    out->len = 0;
    return put_salt(salt.p, salt.len, ':', out) && put_key(row, out);
}

static void
put_rounds(const format *row, const hash_parts *parts, hash_text *out)
{
    out->len =
        (size_t)snprintf(out->text, sizeof out->text, "%s%llu$",
                         row->prefixes[0], (unsigned long long)parts->rounds);
}

bool
fb_kdf_write_passlib_pbkdf2(const format *row, const hash_parts *parts,
                            span salt, hash_text *out)
{
    put_rounds(row, parts, out);
    return put_coded_salt(salt, row->code, out) && put_key(row, out);
}

bool
fb_kdf_write_django_pbkdf2(const format *row, const hash_parts *parts,
                           span salt, hash_text *out)
{
    put_rounds(row, parts, out);
    return put_salt(salt.p, salt.len, '$', out) && put_key(row, out);
}
