/* The table of password hash formats. */
#include "password/password.h"

#include <string.h>

#define BCRYPT_SEEN 72

static const format formats[] = {
    {.name = "argon2id",
     .prefixes = {"$argon2id$"},
     .check = phc_check,
     .make = phc_make,
     .verify = phc_verify,
     .write = phc_write},
    {.name = "argon2i",
     .prefixes = {"$argon2i$"},
     .check = phc_check,
     .make = phc_make,
     .verify = phc_verify},
    {.name = "argon2d",
     .prefixes = {"$argon2d$"},
     .check = phc_check,
     .make = phc_make,
     .verify = phc_verify},
    {.name = "bcrypt",
     .prefixes = {"$2b$", "$2a$", "$2y$", "$2x$", "$2$"},
     .seen = BCRYPT_SEEN,
     .check = bcrypt_check,
     .make = bcrypt_make,
     .verify = bcrypt_verify,
     .is_sole = bcrypt_is_sole,
     .write = bcrypt_write},
    {.name = "bcrypt-sha256",
     .prefixes = {"$bcrypt-sha256$"},
     .check = bcrypt_sha256_check,
     .make = bcrypt_sha256_make,
     .verify = bcrypt_sha256_verify,
     .write = bcrypt_sha256_write},
    {.name = "scrypt",
     .prefixes = {"$scrypt$"},
     .check = kdf_check,
     .make = kdf_make,
     .verify = kdf_verify,
     .is_sole = kdf_is_sole,
     .write = kdf_write_passlib_scrypt,
     .read = kdf_read_passlib_scrypt,
     .key = 32},
    {.name = "pbkdf2-sha1",
     .prefixes = {"$pbkdf2$"},
     .check = kdf_check,
     .make = kdf_make,
     .verify = kdf_verify,
     .is_sole = kdf_is_sole,
     .write = kdf_write_passlib_pbkdf2,
     .code = CODE_AB64,
     .read = kdf_read_passlib_pbkdf2,
     .md = EVP_sha1,
     .key = 20},
    {.name = "pbkdf2-sha256",
     .prefixes = {"$pbkdf2-sha256$"},
     .check = kdf_check,
     .make = kdf_make,
     .verify = kdf_verify,
     .is_sole = kdf_is_sole,
     .write = kdf_write_passlib_pbkdf2,
     .code = CODE_AB64,
     .read = kdf_read_passlib_pbkdf2,
     .md = EVP_sha256,
     .key = 32},
    {.name = "pbkdf2-sha512",
     .prefixes = {"$pbkdf2-sha512$"},
     .check = kdf_check,
     .make = kdf_make,
     .verify = kdf_verify,
     .is_sole = kdf_is_sole,
     .write = kdf_write_passlib_pbkdf2,
     .code = CODE_AB64,
     .read = kdf_read_passlib_pbkdf2,
     .md = EVP_sha512,
     .key = 64},
    {.name = "better-auth-scrypt",
     .is_it = kdf_is_better_auth,
     .is_nfkc = true,
     .check = kdf_check,
     .make = kdf_make,
     .verify = kdf_verify,
     .is_sole = kdf_is_sole,
     .write = kdf_write_better_auth,
     .code = CODE_HEX,
     .read = kdf_read_better_auth,
     .key = 64},
    {.name = "django-argon2",
     .prefixes = {"argon2$argon2"},
     .check = django_argon2_check,
     .make = django_argon2_make,
     .verify = django_argon2_verify},
    {.name = "django-bcrypt",
     .prefixes = {"bcrypt$$2"},
     .seen = BCRYPT_SEEN,
     .check = django_bcrypt_check,
     .make = django_bcrypt_make,
     .verify = django_bcrypt_verify,
     .is_sole = django_bcrypt_is_sole},
    {.name = "django-bcrypt-sha256",
     .prefixes = {"bcrypt_sha256$$2"},
     .check = django_bcrypt_check,
     .make = django_bcrypt_sha256_make,
     .verify = django_bcrypt_sha256_verify},
    {.name = "django-scrypt",
     .prefixes = {"scrypt$"},
     .check = kdf_check,
     .make = kdf_make,
     .verify = kdf_verify,
     .is_sole = kdf_is_sole,
     .code = CODE_B64_PADDED,
     .read = kdf_read_django_scrypt,
     .key = 64},
    {.name = "django-pbkdf2-sha1",
     .prefixes = {"pbkdf2_sha1$"},
     .check = kdf_check,
     .make = kdf_make,
     .verify = kdf_verify,
     .is_sole = kdf_is_sole,
     .write = kdf_write_django_pbkdf2,
     .code = CODE_B64_PADDED,
     .read = kdf_read_django_pbkdf2,
     .md = EVP_sha1,
     .key = 20},
    {.name = "django-pbkdf2-sha256",
     .prefixes = {"pbkdf2_sha256$"},
     .check = kdf_check,
     .make = kdf_make,
     .verify = kdf_verify,
     .is_sole = kdf_is_sole,
     .write = kdf_write_django_pbkdf2,
     .code = CODE_B64_PADDED,
     .read = kdf_read_django_pbkdf2,
     .md = EVP_sha256,
     .key = 32},
    {.name = "werkzeug-scrypt",
     .prefixes = {"scrypt:"},
     .check = kdf_check,
     .make = kdf_make,
     .verify = kdf_verify,
     .is_sole = kdf_is_sole,
     .code = CODE_HEX,
     .read = kdf_read_werkzeug_scrypt,
     .key = 64},
    {.name = "werkzeug-pbkdf2",
     .prefixes = {"pbkdf2:sha1:"},
     .check = kdf_check,
     .make = kdf_make,
     .verify = kdf_verify,
     .is_sole = kdf_is_sole,
     .code = CODE_HEX,
     .read = kdf_read_werkzeug_pbkdf2,
     .md = EVP_sha1,
     .key = 20},
    {.name = "werkzeug-pbkdf2",
     .prefixes = {"pbkdf2:sha256:"},
     .check = kdf_check,
     .make = kdf_make,
     .verify = kdf_verify,
     .is_sole = kdf_is_sole,
     .code = CODE_HEX,
     .read = kdf_read_werkzeug_pbkdf2,
     .md = EVP_sha256,
     .key = 32},
    {.name = "werkzeug-pbkdf2",
     .prefixes = {"pbkdf2:sha512:"},
     .check = kdf_check,
     .make = kdf_make,
     .verify = kdf_verify,
     .is_sole = kdf_is_sole,
     .code = CODE_HEX,
     .read = kdf_read_werkzeug_pbkdf2,
     .md = EVP_sha512,
     .key = 64},
};

#define FORMATS (sizeof formats / sizeof formats[0])

static bool
is_of(const format *row, span setting)
{
    if (row->is_it != NULL) {
        return row->is_it(setting);
    }
    const char *const *prefix = row->prefixes;
    while (*prefix != NULL && !text_skip(&setting, *prefix)) {
        prefix++;
    }
    return *prefix != NULL;
}

const format *
format_find(span setting)
{
    for (size_t i = 0; i < FORMATS; i++) {
        if (is_of(&formats[i], setting)) {
            return &formats[i];
        }
    }
    return NULL;
}

const format *
format_named(const char *name)
{
    for (size_t i = 0; i < FORMATS; i++) {
        if (strcmp(formats[i].name, name) == 0) {
            return &formats[i];
        }
    }
    return NULL;
}

/* --- using it ------------------------------------------------------------ */

status
format_make(const hash_means *means, span password, span setting,
            unsigned threads, hash_text *out)
{
    const format *row = format_find(setting);
    if (row == NULL) {
        return STATUS_HASH_UNKNOWN;
    }
    if (row->seen != 0 && password.len > row->seen) {
        return STATUS_PASSWORD_LONG; /* it would forget what its user typed */
    }
    return row->make(row, means, password, setting, threads, out);
}

status
format_parts(span hash, const format **found, hash_parts *out)
{
    *out = (hash_parts){0};
    *found = format_find(hash);
    if (*found == NULL) {
        return STATUS_HASH_UNKNOWN;
    }
    status result = (*found)->check(*found, hash, out);
    return result == STATUS_OK && out->digest == 0 ? STATUS_HASH_MALFORMED
                                                   : result;
}

/* Whatever can be told of the password without the work, the work is done: the
 * time does not tell which hashes are kept. */
status
format_verify(const hash_means *means, span password, span hash,
              unsigned threads, bool *matches)
{
    const format *row;
    hash_parts parts;
    *matches = false;
    status result = format_parts(hash, &row, &parts);
    if (result != STATUS_OK) {
        return result;
    }
    result = row->verify(row, means, password, hash, threads, matches);
    if (result == STATUS_PASSWORD_NUL) { /* no hash was ever made of it */
        result =
            row->verify(row, means, (span){"", 0}, hash, threads, matches);
        *matches = false;
    }
    return result;
}

bool
format_is_sole(const format *row, span hash, span password)
{
    return (row->seen == 0 || password.len < row->seen)
           && (row->is_sole == NULL || row->is_sole(hash, password));
}

status
format_write(const format *row, const hash_parts *parts, span salt,
             hash_text *out)
{
    hash_parts read;
    out->len = 0;
    if (row->write == NULL) {
        return STATUS_HASH_UNKNOWN;
    }
    return row->write(row, parts, salt, out)
               ? row->check(row, (span){out->text, out->len}, &read)
               : STATUS_HASH_MALFORMED;
}
