/* passlib's bcrypt of a digest, for which no password is too long. */
#include "password/password.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/hmac.h>

#define BCRYPT_MAX 72 /* characters of the hash inside, and more */
#define SALT_CHARS 22
#define SHA256_LEN 32

static const char prefix[] = "$bcrypt-sha256$";

typedef struct {
    uint32_t version, cost;
    char kind;     /* of the bcrypt inside */
    size_t inside; /* where salt and digest begin, with a '$' between */
} outer;

static bool
read_settings(span *rest, outer *out)
{
    *out = (outer){.version = 2, .kind = 'b'};
    if (fb_text_skip(rest, "v=2,t=2b,r=")) {
        return fb_text_number(rest, &out->cost) && fb_text_skip(rest, "$");
    }
    out->version = 1;
    if (fb_text_skip(rest, "2a,")) {
        out->kind = 'a';
    } else if (!fb_text_skip(rest, "2b,")) {
        return false;
    }
    return fb_text_number(rest, &out->cost) && fb_text_skip(rest, "$");
}

/* Writes the bcrypt hash inside, or its setting. */
static bool
read_outer(span text, outer *out, hash_text *inside)
{
    span rest = text;
    if (!fb_text_skip(&rest, prefix) || !read_settings(&rest, out)
        || out->cost > 99) {
        return false;
    }
    out->inside = text.len - rest.len;
    span digest = {rest.p, 0};
    if (rest.len > SALT_CHARS) {
        digest = (span){rest.p + SALT_CHARS, rest.len - SALT_CHARS};
        if (!fb_text_skip(&digest, "$") || digest.len == 0) {
            return false;
        }
        rest.len = SALT_CHARS;
    }
    if (rest.len + digest.len > BCRYPT_MAX) {
        return false;
    }
    int head = snprintf(inside->text, sizeof inside->text, "$2%c$%02u$",
                        out->kind, (unsigned)out->cost);
    inside->len = (size_t)head + rest.len + digest.len;
    memcpy(inside->text + head, rest.p, rest.len);
    memcpy(inside->text + head + rest.len, digest.p, digest.len);
    return true;
}

status
fb_bcrypt_sha256_check(const format *row, span setting, hash_parts *out)
{
    outer read;
    hash_text inside;
    if (!read_outer(setting, &read, &inside)) {
        return STATUS_HASH_MALFORMED;
    }
    status result = fb_bcrypt_check(row, (span){inside.text, inside.len}, out);
    out->version = read.version;
    out->digest_at = read.inside + SALT_CHARS + 1;
    return result;
}

/* Version 2 keys the digest with the salt's text, so that it is no SHA-256
 * that some other service may have leaked. */
static bool
digest_of(const outer *read, const char *salt, span password, char *text,
          size_t *len)
{
    unsigned char digest[SHA256_LEN];
    const unsigned char *bytes = (const unsigned char *)password.p;
    fb_failure_forget();
    bool ok = read->version == 1 ? EVP_Digest(bytes, password.len, digest,
                                              NULL, EVP_sha256(), NULL)
                                       == 1
                                 : HMAC(EVP_sha256(), salt, SALT_CHARS, bytes,
                                        password.len, digest, NULL)
                                       != NULL;
    if (ok) {
        const char *end =
            fb_text_encode(digest, sizeof digest, CODE_B64_PADDED, text);
        *len = (size_t)(end - text);
    }
    OPENSSL_cleanse(digest, sizeof digest);
    return ok;
}

#define DIGEST_TEXT (2 * SHA256_LEN + 4) /* as fb_text_encode asks */

/* Reads a checked setting, and writes what is hashed inside. */
CHECKED static status
prepare(const format *row, span password, span setting, outer *read,
        hash_text *inside, char *text, size_t *len)
{
    hash_parts parts;
    status result = fb_bcrypt_sha256_check(row, setting, &parts);
    if (result != STATUS_OK) {
        return result;
    }
    if (!read_outer(setting, read, inside)) {
        return STATUS_HASH_MALFORMED;
    }
    return digest_of(read, setting.p + read->inside, password, text, len)
               ? STATUS_OK
               : fb_failure_of(STATUS_CRYPTO_FAILED);
}

status
fb_bcrypt_sha256_make(const format *row, const hash_means *means,
                      span password, span setting, unsigned threads,
                      hash_text *out)
{
    outer read;
    hash_text inside, made;
    char text[DIGEST_TEXT];
    size_t len = 0;
    status result =
        prepare(row, password, setting, &read, &inside, text, &len);
    if (result == STATUS_OK) {
        result =
            fb_bcrypt_make(row, means, (span){text, len},
                           (span){inside.text, inside.len}, threads, &made);
    }
    OPENSSL_cleanse(text, sizeof text);
    if (result == STATUS_OK) {
        size_t head = read.inside + SALT_CHARS; /* up to bcrypt's digest */
        size_t tail = sizeof "$2b$04$" - 1 + SALT_CHARS;
        memcpy(out->text, setting.p, head);
        out->text[head] = '$';
        memcpy(out->text + head + 1, made.text + tail, made.len - tail);
        out->len = head + 1 + made.len - tail;
    }
    return result;
}

status
fb_bcrypt_sha256_verify(const format *row, const hash_means *means,
                        span password, span hash, unsigned threads,
                        bool *matches)
{
    outer read;
    hash_text inside;
    char text[DIGEST_TEXT];
    size_t len = 0;
    *matches = false;
    status result = prepare(row, password, hash, &read, &inside, text, &len);
    if (result == STATUS_OK) {
        result = fb_bcrypt_verify(row, means, (span){text, len},
                                  (span){inside.text, inside.len}, threads,
                                  matches);
    }
    OPENSSL_cleanse(text, sizeof text);
    return result;
}

bool
fb_bcrypt_sha256_write(const format *row, const hash_parts *parts, span salt,
                       hash_text *out)
{
    hash_text inside;
    hash_parts with = *parts;
    with.kind = 'b';
    if (!fb_bcrypt_write(row, &with, salt, &inside)) {
        return false;
    }
    inside.text[inside.len] = '\0';
    const char *settings = parts->version == 1 ? "2b," : "v=2,t=2b,r=";
    const char *salt_text = inside.text + sizeof "$2b$04$" - 1;
    out->len = (size_t)snprintf(out->text, sizeof out->text, "%s%s%u$%.*s$%s",
                                prefix, settings, (unsigned)parts->rounds,
                                SALT_CHARS, salt_text, salt_text + SALT_CHARS);
    return true;
}
