/*
 * The first byte chooses the algorithm; the rest is a secret for it. What
 * libcrypto reads as a key, and what is a JWK, is refused.
 */
#include "fuzz.h"
#include "jose/jose.h"
#include "json/json.h"

#define INPUT_MAX 4096

/* All of DER is a sequence, and all of PEM has a first line: to have libcrypto
 * say so of each text takes too long. */
static bool
may_be_a_key(span text)
{
    static const char line[] = "-----BEGIN ";
    bool is_there = text.len > 0 && text.p[0] == 0x30;
    for (size_t i = 0; !is_there && i + sizeof line - 1 <= text.len; i++) {
        is_there = memcmp(text.p + i, line, sizeof line - 1) == 0;
    }
    return is_there;
}

static bool
is_a_key(span text)
{
    EVP_PKEY *evp = NULL;
    const span none = {"", 0};
    if (!may_be_a_key(text)) {
        return false;
    }
    bool is_read = fb_pkey_from_der(text, none, &evp) == STATUS_OK
                   || fb_pkey_from_pem(text, none, &evp) == STATUS_OK;
    EVP_PKEY_free(evp);
    return is_read;
}

static bool
is_a_jwk(span text)
{
    json_cursor found;
    return fb_json_find_string(text, (span){"kty", 3}, &found);
}

/* Whether it may be refused for what it says in base64 or hexadecimal. */
static bool
is_covered(span secret)
{
    char *text = exact_room(secret.len), *scratch = exact_room(secret.len);
    unsigned char *bytes = exact_room(secret.len);
    size_t len;
    span bare = {text, fb_secret_bare(secret, text)};
    bool is_one = fb_secret_from_hex(bare, bytes, &len)
                  || fb_secret_from_base64(bare, scratch, bytes, &len);
    free(text);
    free(scratch);
    free(bytes);
    return is_one;
}

/* What is refused for itself is refused in hexadecimal and in base64url, too,
 * unless it was only blank. */
static void
check_written(span secret, const alg *algorithm, status plain)
{
    size_t len = fb_b64url_encoded(secret.len);
    char *hex = exact_room(2 * secret.len), *text = exact_room(len);
    for (size_t i = 0; i < secret.len; i++) {
        unsigned char byte = (unsigned char)secret.p[i];
        hex[2 * i] = "0123456789abcdef"[byte >> 4];
        hex[2 * i + 1] = "0123456789ABCDEF"[byte & 15];
    }
    fb_b64url_encode((const unsigned char *)secret.p, secret.len, text);
    if (plain != STATUS_OK && plain != STATUS_KEY_EMPTY
        && !is_covered(secret)) {
        span in_hex = {hex, 2 * secret.len}, in_base64 = {text, len};
        status of_hex = fb_secret_check(in_hex, algorithm, true);
        status of_base64 = fb_secret_check(in_base64, algorithm, true);
        MUST(of_hex != STATUS_OK && of_base64 != STATUS_OK);
    }
    free(hex);
    free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"HS256", "HS384", "HS512"};
    if (size == 0 || size > INPUT_MAX) {
        return 0;
    }
    const char *name = names[data[0] % 3];
    const alg *algorithm = fb_alg_find(name, strlen(name));
    MUST(algorithm != NULL);
    char *copy = exact_copy(data + 1, size - 1);
    span secret = {copy, size - 1};
    status strict = fb_secret_check(secret, algorithm, false);
    status lax = fb_secret_check(secret, algorithm, true);
    MUST(lax != STATUS_KEY_SHORT);
    MUST(strict == lax
         || (strict == STATUS_KEY_SHORT && secret.len < algorithm->signature));
    MUST(strict != STATUS_OK || secret.len >= algorithm->signature);
    if (secret.len > 0 && fb_secret_is_der(secret)) {
        MUST(lax != STATUS_OK);
    }
    check_written(secret, algorithm, lax);
    if (is_a_key(secret) || is_a_jwk(secret)) {
        MUST(lax != STATUS_OK);
    }
    MUST(memcmp(copy, data + 1, size - 1) == 0);
    free(copy);
    return 0;
}
