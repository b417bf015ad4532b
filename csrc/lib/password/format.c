/* The table of password hash formats. */
#include "password/password.h"

#include <string.h>

/* clang-format off */
static const format formats[] = {
    {"argon2id", {"$argon2id$"}, NULL, false,
     phc_check, phc_make, phc_verify},
    {"argon2i", {"$argon2i$"}, NULL, false,
     phc_check, phc_make, phc_verify},
    {"argon2d", {"$argon2d$"}, NULL, false,
     phc_check, phc_make, phc_verify},
    {"bcrypt", {"$2b$", "$2a$", "$2y$", "$2x$"}, NULL, false,
     bcrypt_check, bcrypt_make, bcrypt_verify},
    {"scrypt", {"$scrypt$"}, NULL, false,
     kdf_check, kdf_make, kdf_verify},
    {"pbkdf2-sha256", {"$pbkdf2-sha256$"}, NULL, false,
     kdf_check, kdf_make, kdf_verify},
    {"pbkdf2-sha512", {"$pbkdf2-sha512$"}, NULL, false,
     kdf_check, kdf_make, kdf_verify},
    {"better-auth-scrypt", {NULL}, kdf_is_better_auth, true,
     kdf_check, kdf_make, kdf_verify},
    {"django-argon2", {"argon2$argon2"}, NULL, false,
     django_argon2_check, django_argon2_make, django_argon2_verify},
    {"django-bcrypt", {"bcrypt$$2"}, NULL, false,
     django_bcrypt_check, django_bcrypt_make, django_bcrypt_verify},
    {"django-bcrypt-sha256", {"bcrypt_sha256$$2"}, NULL, false,
     django_bcrypt_check, django_bcrypt_sha256_make,
     django_bcrypt_sha256_verify},
    {"django-scrypt", {"scrypt$"}, NULL, false,
     kdf_check, kdf_make, kdf_verify},
    {"django-pbkdf2-sha256", {"pbkdf2_sha256$"}, NULL, false,
     kdf_check, kdf_make, kdf_verify},
    {"werkzeug-scrypt", {"scrypt:"}, NULL, false,
     kdf_check, kdf_make, kdf_verify},
    {"werkzeug-pbkdf2", {"pbkdf2:sha256:", "pbkdf2:sha512:"}, NULL, false,
     kdf_check, kdf_make, kdf_verify},
};
/* clang-format on */

static bool
starts_with(span text, const char *prefix)
{
    size_t len = strlen(prefix);
    return text.len >= len && memcmp(text.p, prefix, len) == 0;
}

static bool
is_of(const format *row, span setting)
{
    if (row->is_it != NULL) {
        return row->is_it(setting);
    }
    const char *const *prefix = row->prefixes;
    while (*prefix != NULL && !starts_with(setting, *prefix)) {
        prefix++;
    }
    return *prefix != NULL;
}

const format *
format_find(span setting)
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (is_of(&formats[i], setting)) {
            return &formats[i];
        }
    }
    return NULL;
}

status
format_verify(const hash_means *means, span password, span hash,
              unsigned threads, bool *matches)
{
    const format *found = format_find(hash);
    size_t digest;
    *matches = false;
    if (found == NULL) {
        return STATUS_HASH_UNKNOWN;
    }
    status result = found->check(hash, &digest);
    if (result != STATUS_OK) {
        return result;
    }
    if (digest == 0) {
        return STATUS_HASH_MALFORMED;
    }
    result = found->verify(means, password, hash, threads, matches);
    /* no hash was ever made of it */
    return result == STATUS_PASSWORD_NUL ? STATUS_OK : result;
}
