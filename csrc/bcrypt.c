/* bcrypt over libxcrypt's crypt_rn. */
#include "core.h"

#include <stdlib.h>
#include <string.h>

#include <crypt.h>
#include <openssl/crypto.h>

#define SETTING_LEN 29 /* $2b$12$ and 22 characters of salt */
#define HASH_LEN 60
#define PASSWORD_MAX 72
#define COST_MAX 16 /* about three seconds; a stored 31 would take a day */

static bool
is_bcrypt64(const char *p, size_t len)
{
    for (; len > 0; p++, len--) {
        if (!(*p >= 'A' && *p <= 'Z') && !(*p >= 'a' && *p <= 'z')
            && !(*p >= '.' && *p <= '9')) {
            return false;
        }
    }
    return true;
}

status
bcrypt_check(span setting, size_t *digest)
{
    const char *p = setting.p;
    *digest = setting.len == HASH_LEN ? SETTING_LEN : 0;
    if ((setting.len != SETTING_LEN && setting.len != HASH_LEN)
        || memcmp(p, "$2", 2) != 0 || p[3] != '$' || p[4] < '0' || p[4] > '3'
        || p[5] < '0' || p[5] > '9' || p[6] != '$'
        || !is_bcrypt64(p + 7, setting.len - 7)) {
        return STATUS_HASH_MALFORMED;
    }
    int cost = (p[4] - '0') * 10 + (p[5] - '0');
    if (cost < 4 || cost > 31) {
        return STATUS_HASH_MALFORMED;
    }
    return cost > COST_MAX ? STATUS_HASH_COSTLY : STATUS_OK;
}

/*
 * Every maker of bcrypt hashes cut at 72 bytes, so verifying does too; a new
 * hash must not forget what its user typed. At a NUL crypt() stops, so that
 * "a" and "a\0b" would be one password: such a one is refused, always.
 */
static status
check_password(span password, bool is_new)
{
    if (memchr(password.p, '\0', password.len) != NULL) {
        return STATUS_PASSWORD_NUL;
    }
    return is_new && password.len > PASSWORD_MAX ? STATUS_PASSWORD_LONG
                                                 : STATUS_OK;
}

static void
copy_cut(char *to, size_t size, span from)
{
    size_t len = from.len < size - 1 ? from.len : size - 1;
    memcpy(to, from.p, len);
    to[len] = '\0';
}

status
bcrypt_make(const hash_means *means, span password, span setting,
            unsigned threads, hash_text *out)
{
    (void)means;
    (void)threads; /* one */
    char key[PASSWORD_MAX + 1], text[HASH_LEN + 1];
    size_t digest;
    status result = bcrypt_check(setting, &digest);
    if (result == STATUS_OK) {
        result = check_password(password, digest == 0);
    }
    if (result != STATUS_OK) {
        return result;
    }
    struct crypt_data *data = calloc(1, sizeof *data); /* 32 KiB */
    if (data == NULL) {
        return STATUS_NO_MEMORY;
    }
    copy_cut(key, sizeof key, password);
    copy_cut(text, sizeof text, setting);
    const char *made = crypt_rn(key, text, data, (int)sizeof *data);
    if (made == NULL || strlen(made) != HASH_LEN) {
        result = STATUS_HASH_MALFORMED;
    } else {
        memcpy(out->text, made, HASH_LEN);
        out->len = HASH_LEN;
    }
    OPENSSL_cleanse(key, sizeof key);
    OPENSSL_cleanse(data, sizeof *data);
    free(data);
    return result;
}
