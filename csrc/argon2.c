/* Argon2's hashes as PHC text: reading, checking the cost, writing. */
#include "core.h"

#include <string.h>

#include <openssl/crypto.h>

#define SALT_MIN 8 /* RFC 9106 3.1 */
#define SALT_MAX 64
#define DIGEST_MIN 4
#define DIGEST_MAX 128
#define DIGEST_DEFAULT 32

/* A stored hash chooses its own cost, so a foreign one could ask for all the
 * memory there is: 2 GiB is RFC 9106's first recommendation. */
#define MEMORY_MAX (1u << 21)        /* KiB */
#define WORK_MAX ((uint64_t)1 << 23) /* KiB times passes */
#define LANES_MAX 64u

typedef struct {
    argon2_kind kind;
    uint32_t version, memory, passes, lanes;
    unsigned char salt[SALT_MAX], digest[DIGEST_MAX];
    size_t salt_len, digest_len; /* digest_len is 0 in a bare setting */
    size_t setting_len;          /* up to the salt's end */
} phc;

static bool
skip_word(span *rest, const char *word)
{
    size_t len = strlen(word);
    if (rest->len < len || memcmp(rest->p, word, len) != 0) {
        return false;
    }
    *rest = (span){rest->p + len, rest->len - len};
    return true;
}

/* A decimal number without leading zeros, of at most nine digits. */
static bool
read_number(span *rest, uint32_t *value)
{
    size_t len = 0;
    *value = 0;
    while (len < rest->len && len < 10 && rest->p[len] >= '0'
           && rest->p[len] <= '9') {
        *value = *value * 10 + (uint32_t)(rest->p[len++] - '0');
    }
    bool ok = len > 0 && len < 10 && (len == 1 || rest->p[0] != '0');
    *rest = (span){rest->p + len, rest->len - len};
    return ok;
}

/* PHC's B64 is base64url's twin with '+' and '/' for '-' and '_'. */
static bool
read_b64(span *rest, unsigned char *bytes, size_t *bytes_len, size_t min,
         size_t max)
{
    char text[(DIGEST_MAX * 4 + 2) / 3];
    size_t len = 0;
    for (; len < rest->len && rest->p[len] != '$'; len++) {
        char c = rest->p[len];
        if (c == '-' || c == '_' || b64url_decoded(len + 1) > max) {
            return false;
        }
        text[len] = c == '+' ? '-' : c == '/' ? '_' : c;
    }
    *rest = (span){rest->p + len, rest->len - len};
    *bytes_len = b64url_decoded(len);
    return *bytes_len >= min && b64url_decode(text, len, bytes);
}

/* "$argon2id$v=19$", or another kind; the version before RFC 9106 wrote 16 or
 * nothing. */
static bool
read_kind(span *rest, phc *out)
{
    uint32_t version = 16;
    if (!skip_word(rest, "$argon2")) {
        return false;
    }
    out->kind = skip_word(rest, "id$")  ? ARGON2_ID
                : skip_word(rest, "i$") ? ARGON2_I
                                        : ARGON2_D;
    bool ok = out->kind != ARGON2_D || skip_word(rest, "d$");
    if (ok && skip_word(rest, "v=")) {
        ok = read_number(rest, &version) && skip_word(rest, "$");
    }
    out->version = version;
    return ok && (version == 0x13 || version == 0x10);
}

static status
phc_read(span text, phc *out)
{
    span rest = text;
    *out = (phc){0};
    if (!read_kind(&rest, out) || !skip_word(&rest, "m=")
        || !read_number(&rest, &out->memory) || !skip_word(&rest, ",t=")
        || !read_number(&rest, &out->passes) || !skip_word(&rest, ",p=")
        || !read_number(&rest, &out->lanes) || !skip_word(&rest, "$")
        || !read_b64(&rest, out->salt, &out->salt_len, SALT_MIN, SALT_MAX)) {
        return STATUS_HASH_MALFORMED;
    }
    out->setting_len = text.len - rest.len;
    if (rest.len > 0
        && (!skip_word(&rest, "$")
            || !read_b64(&rest, out->digest, &out->digest_len, DIGEST_MIN,
                         DIGEST_MAX)
            || rest.len > 0)) {
        return STATUS_HASH_MALFORMED;
    }
    /* RFC 9106 3.1 */
    if (out->passes == 0 || out->lanes == 0 || out->memory / 8 < out->lanes) {
        return STATUS_HASH_MALFORMED;
    }
    if (out->memory > MEMORY_MAX || out->lanes > LANES_MAX
        || (uint64_t)out->memory * out->passes > WORK_MAX) {
        return STATUS_HASH_COSTLY;
    }
    return STATUS_OK;
}

status
argon2_check(span setting, size_t *digest)
{
    phc read;
    status result = phc_read(setting, &read);
    *digest = read.digest_len == 0 ? 0 : read.setting_len + 1;
    return result;
}

static void
write_digest(const phc *from, span setting, hash_text *out)
{
    memcpy(out->text, setting.p, from->setting_len);
    out->text[from->setting_len] = '$';
    char *start = out->text + from->setting_len + 1;
    char *end = b64url_encode(from->digest, from->digest_len, start);
    for (char *p = start; p < end; p++) {
        *p = (char)(*p == '-' ? '+' : *p == '_' ? '/' : *p);
    }
    out->len = (size_t)(end - out->text);
}

static status
compute(const hash_means *means, const argon2_params *params, span password,
        unsigned threads, unsigned char *tag)
{
    if (means->engine == NULL) {
        return argon2_library_compute(params, password, threads, tag);
    }
    arena *own = arena_take(means->arenas, argon2_arena_size(params));
    if (own == NULL) {
        return STATUS_NO_MEMORY;
    }
    status result = argon2_compute(means->engine, params, password,
                                   own->memory, threads, tag);
    if (means->wipes) {
        OPENSSL_cleanse(own->memory, argon2_arena_size(params));
    }
    arena_give(means->arenas, own);
    return result;
}

status
argon2_make(const hash_means *means, span password, span setting,
            unsigned threads, hash_text *out)
{
    phc read;
    status result = phc_read(setting, &read);
    if (result != STATUS_OK) {
        return result;
    }
    if (read.digest_len == 0) {
        read.digest_len = DIGEST_DEFAULT;
    }
    const argon2_params params = {
        .kind = read.kind,
        .version = read.version,
        .memory = read.memory,
        .passes = read.passes,
        .lanes = read.lanes,
        .salt = {(const char *)read.salt, read.salt_len},
        .size = read.digest_len,
    };
    result = compute(means, &params, password, threads, read.digest);
    if (result == STATUS_OK) {
        write_digest(&read, setting, out);
    }
    OPENSSL_cleanse(&read, sizeof read);
    return result;
}
