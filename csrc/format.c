/* The table of password hash formats. */
#include "core.h"

#include <string.h>

#include <openssl/crypto.h>

static const format formats[] = {
    {"argon2id", {"$argon2id$"}, argon2_check, argon2_make},
    {"argon2i", {"$argon2i$"}, argon2_check, argon2_make},
    {"argon2d", {"$argon2d$"}, argon2_check, argon2_make},
    {"bcrypt", {"$2b$", "$2a$", "$2y$"}, bcrypt_check, bcrypt_make},
};

static bool
starts_with(span text, const char *prefix)
{
    size_t len = strlen(prefix);
    return text.len >= len && memcmp(text.p, prefix, len) == 0;
}

const format *
format_find(span setting)
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        const char *const *prefix = formats[i].prefixes;
        for (; *prefix != NULL; prefix++) {
            if (starts_with(setting, *prefix)) {
                return &formats[i];
            }
        }
    }
    return NULL;
}

/* A hash is its own setting: made again, it must end in the same digest. */
status
format_verify(const hash_means *means, span password, span hash,
              unsigned threads, bool *matches)
{
    const format *found = format_find(hash);
    size_t digest;
    hash_text again;
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
    result = found->make(means, password, hash, threads, &again);
    if (result == STATUS_PASSWORD_NUL) { /* no hash was ever made of it */
        return STATUS_OK;
    }
    if (result == STATUS_OK) {
        *matches = again.len == hash.len
                   && CRYPTO_memcmp(again.text + digest, hash.p + digest,
                                    hash.len - digest)
                          == 0;
        OPENSSL_cleanse(&again, sizeof again);
    }
    return result;
}
