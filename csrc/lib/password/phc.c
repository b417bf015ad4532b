/* Argon2's hashes as PHC text: reading, checking the cost, writing. */
#include "password/password.h"

#include <stdio.h>
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
read_b64(span *rest, unsigned char *bytes, size_t *len, size_t min, size_t max)
{
    const char *end = memchr(rest->p, '$', rest->len);
    span text = {rest->p, end == NULL ? rest->len : (size_t)(end - rest->p)};
    *rest = (span){rest->p + text.len, rest->len - text.len};
    return fb_text_decode(text, CODE_B64, bytes, max, len) && *len >= min;
}

/* "$argon2id$v=19$", or another kind; the version before RFC 9106 wrote 16 or
 * nothing. */
static bool
read_kind(span *rest, phc *out)
{
    uint32_t version = 16;
    if (!fb_text_skip(rest, "$argon2")) {
        return false;
    }
    out->kind = fb_text_skip(rest, "id$")  ? ARGON2_ID
                : fb_text_skip(rest, "i$") ? ARGON2_I
                                           : ARGON2_D;
    bool ok = out->kind != ARGON2_D || fb_text_skip(rest, "d$");
    if (ok && fb_text_skip(rest, "v=")) {
        ok = fb_text_number(rest, &version) && fb_text_skip(rest, "$");
    }
    out->version = version;
    return ok && (version == 0x13 || version == 0x10);
}

CHECKED static status
phc_read(span text, phc *out)
{
    span rest = text;
    *out = (phc){0};
    if (!read_kind(&rest, out) || !fb_text_skip(&rest, "m=")
        || !fb_text_number(&rest, &out->memory) || !fb_text_skip(&rest, ",t=")
        || !fb_text_number(&rest, &out->passes) || !fb_text_skip(&rest, ",p=")
        || !fb_text_number(&rest, &out->lanes) || !fb_text_skip(&rest, "$")
        || !read_b64(&rest, out->salt, &out->salt_len, SALT_MIN, SALT_MAX)) {
        return STATUS_HASH_MALFORMED;
    }
    out->setting_len = text.len - rest.len;
    if (rest.len > 0
        && (!fb_text_skip(&rest, "$")
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
fb_phc_check(const format *row, span setting, hash_parts *out)
{
    (void)row;
    phc read;
    status result = phc_read(setting, &read);
    *out = (hash_parts){
        .version = read.version,
        .rounds = read.passes,
        .memory = read.memory,
        .lanes = read.lanes,
        .salt = read.salt_len,
        .digest = read.digest_len,
        .digest_at = read.setting_len + 1,
    };
    return result;
}

bool
fb_phc_write(const format *row, const hash_parts *parts, span salt,
             hash_text *out)
{
    static const unsigned char zeros[DIGEST_MAX];
    if (salt.len > SALT_MAX || parts->digest > sizeof zeros) {
        return false;
    }
    int head =
        snprintf(out->text, sizeof out->text, "%sv=19$m=%u,t=%llu,p=%u$",
                 row->prefixes[0], (unsigned)parts->memory,
                 (unsigned long long)parts->rounds, (unsigned)parts->lanes);
    char *end = fb_text_encode((const unsigned char *)salt.p, salt.len,
                               row->code, out->text + head);
    *end++ = '$';
    end = fb_text_encode(zeros, parts->digest, row->code, end);
    out->len = (size_t)(end - out->text);
    return true;
}

static void
write_hash(const phc *from, span setting, const unsigned char *tag,
           hash_text *out)
{
    memcpy(out->text, setting.p, from->setting_len);
    out->text[from->setting_len] = '$';
    char *end = fb_text_encode(tag, from->digest_len, CODE_B64,
                               out->text + from->setting_len + 1);
    out->len = (size_t)(end - out->text);
}

CHECKED static status
compute_in_arena(const hash_means *means, const argon2_params *params,
                 span password, unsigned threads, unsigned char *tag)
{
    size_t bytes = fb_argon2_arena_size(means->engine, params);
    if (bytes == 0) {
        return fb_argon2_compute(means->engine, params, password, NULL,
                                 threads, tag);
    }
    arena *own = fb_arena_take(means->arenas, bytes);
    if (own == NULL) {
        return STATUS_NO_MEMORY;
    }
    status result = fb_argon2_compute(means->engine, params, password,
                                      own->memory, threads, tag);
    if (means->wipes) {
        OPENSSL_cleanse(own->memory, bytes);
    }
    fb_arena_give(means->arenas, own);
    return result;
}

/* Writes from->digest_len bytes. */
CHECKED static status
compute(const hash_means *means, const phc *from, span password,
        unsigned threads, unsigned char *tag)
{
    const argon2_params params = {
        .kind = from->kind,
        .version = from->version,
        .memory = from->memory,
        .passes = from->passes,
        .lanes = from->lanes,
        .salt = {(const char *)from->salt, from->salt_len},
        .size = from->digest_len,
    };
    return compute_in_arena(means, &params, password, threads, tag);
}

status
fb_phc_make(const format *row, const hash_means *means, span password,
            span setting, unsigned threads, hash_text *out)
{
    (void)row;
    phc read;
    unsigned char tag[DIGEST_MAX] = {0};
    status result = phc_read(setting, &read);
    if (result != STATUS_OK) {
        return result;
    }
    if (read.digest_len == 0) {
        read.digest_len = DIGEST_DEFAULT;
    }
    result = compute(means, &read, password, threads, tag);
    if (result == STATUS_OK) {
        write_hash(&read, setting, tag, out);
    }
    OPENSSL_cleanse(tag, sizeof tag);
    return result;
}

status
fb_phc_verify(const format *row, const hash_means *means, span password,
              span hash, unsigned threads, bool *matches)
{
    (void)row;
    phc read;
    unsigned char tag[DIGEST_MAX] = {0};
    *matches = false;
    status result = phc_read(hash, &read);
    if (result == STATUS_OK && read.digest_len == 0) {
        result = STATUS_HASH_MALFORMED;
    }
    if (result == STATUS_OK) {
        result = compute(means, &read, password, threads, tag);
    }
    if (result == STATUS_OK) {
        *matches = CRYPTO_memcmp(tag, read.digest, read.digest_len) == 0;
    }
    OPENSSL_cleanse(tag, sizeof tag);
    return result;
}
