/* Hashes of other times, which are verified and never made. */
#include "password/password.h"

#include <string.h>

#include <openssl/crypto.h>

#include "password/old.h"

CHECKED static status
read_old(const format *row, span text, old_hash *out)
{
    span rest = text;
    *out = (old_hash){0};
    return text.len <= HASH_TEXT_MAX && fb_format_skip(row, &rest)
                   && row->read_old(row, rest, out)
               ? STATUS_OK
               : STATUS_HASH_MALFORMED;
}

status
fb_old_check(const format *row, span setting, hash_parts *out)
{
    old_hash read;
    status result = read_old(row, setting, &read);
    *out = (hash_parts){
        .rounds = read.rounds,
        .salt = read.salt_len,
        .digest = row->key,
    };
    return result != STATUS_OK              ? result
           : read.rounds > row->most_rounds ? STATUS_HASH_COSTLY
                                            : STATUS_OK;
}

/* Whether one of the row's makers would have made it; each of them is asked,
 * whatever another has said. */
CHECKED static status
compare(const format *row, const old_hash *with, span password, bool *matches)
{
    status result = STATUS_OK;
    for (size_t i = 0; i < 2 && row->compute[i] != NULL; i++) {
        unsigned char digest[OLD_DIGEST_MAX] = {0};
        status one = row->compute[i](row, with, password, digest);
        bool is_it = CRYPTO_memcmp(digest, with->digest, row->key) == 0;
        *matches = *matches || (is_it && one == STATUS_OK);
        result = one == STATUS_OK ? result : one;
        OPENSSL_cleanse(digest, sizeof digest);
    }
    *matches = *matches && result == STATUS_OK;
    return result;
}

/* Whether there can be a hash of the password. */
CHECKED static status
check_password(const format *row, span password)
{
    if (row->longest != 0 && password.len > row->longest) {
        return STATUS_PASSWORD_LONG;
    }
    bool has_nul = memchr(password.p, '\0', password.len) != NULL;
    return row->ends_at_nul && has_nul ? STATUS_PASSWORD_NUL : STATUS_OK;
}

status
fb_old_verify(const format *row, const hash_means *means, span password,
              span hash, unsigned threads, bool *matches)
{
    (void)means;
    (void)threads; /* one */
    hash_parts parts;
    old_hash read;
    *matches = false;
    status result = fb_old_check(row, hash, &parts);
    if (result == STATUS_OK) {
        result = check_password(row, password);
    }
    if (result == STATUS_OK) {
        result = read_old(row, hash, &read);
    }
    return result == STATUS_OK ? compare(row, &read, password, matches)
                               : result;
}
