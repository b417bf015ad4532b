/* Hashes whose salt and key are one text, or whose costs are one number. */
#include "password/password.h"

#include "password/kdf.h"

static void
put_parts(const unsigned char *bytes, size_t salt, size_t key, kdf *out)
{
    memcpy(out->salt, bytes, salt);
    memcpy(out->key, bytes + salt, key);
    out->salt_len = salt;
    out->key_len = key;
}

/* --- ASP.NET Core Identity ----------------------------------------------- */

#define V2_LEN 49
#define V2_TEXT 68
#define V2_SALT 16
#define V2_ITERATIONS 1000
#define V3_HEAD 13
#define V3_SALT_MIN 16

/* base64 of a zero byte, 16 of salt and 32 of key */
bool
fb_kdf_is_aspnet_v2(span text)
{
    return text.len == V2_TEXT && text.p[0] == 'A' && text.p[1] >= 'A'
           && text.p[1] <= 'P' && text.p[V2_TEXT - 1] == '=';
}

bool
fb_kdf_read_aspnet_v2(span text, span rest, kdf *out)
{
    (void)rest;
    unsigned char bytes[V2_LEN];
    size_t len;
    if (!fb_text_decode(text, CODE_B64_PADDED, bytes, sizeof bytes, &len)
        || len != V2_LEN) {
        return false;
    }
    out->n = V2_ITERATIONS;
    put_parts(bytes + 1, V2_SALT, V2_LEN - 1 - V2_SALT, out);
    return true;
}

/* Those that were ever made: one that was cut would still be the beginning of
 * the right one. */
static bool
is_v3_key(size_t len)
{
    return len == 16 || len == 32 || len == 64;
}

static uint32_t
load_32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8
           | p[3];
}

/* base64 of a 1, the digest's number, the iterations, the salt's length (each
 * of these of 4 bytes, the highest first), the salt and the key */
bool
fb_kdf_read_aspnet_v3(span text, span rest, kdf *out)
{
    static const EVP_MD *(*const digests_of[])(void) = {
        EVP_sha1,
        EVP_sha256,
        EVP_sha512,
    };
    (void)rest;
    unsigned char bytes[V3_HEAD + KDF_SALT_MAX + KDF_DIGEST_MAX];
    size_t len;
    if (!fb_text_decode(text, CODE_B64_PADDED, bytes, sizeof bytes, &len)
        || len < V3_HEAD) {
        return false;
    }
    uint32_t prf = load_32(bytes + 1), salt = load_32(bytes + 9);
    if (prf > 2 || salt < V3_SALT_MIN || salt > KDF_SALT_MAX
        || len < V3_HEAD + salt || !is_v3_key(len - V3_HEAD - salt)) {
        return false;
    }
    out->md = digests_of[prf];
    out->n = load_32(bytes + 5);
    put_parts(bytes + V3_HEAD, salt, len - V3_HEAD - salt, out);
    return true;
}

/* --- Spring Security, Atlassian ------------------------------------------ */

#define SPRING_KEY 32

/* Iterations are not written: they are those of the label's defaults. */
static bool
read_labelled(span rest, text_code code, size_t salt, uint32_t iterations,
              kdf *out)
{
    unsigned char bytes[2 * SPRING_KEY];
    size_t len;
    if (!fb_text_decode(rest, code, bytes, sizeof bytes, &len)
        || len != salt + SPRING_KEY) {
        return false;
    }
    out->n = iterations;
    put_parts(bytes, salt, SPRING_KEY, out);
    return true;
}

/* {pbkdf2}, hexadecimal: 8 bytes of salt, and the key */
bool
fb_kdf_read_spring_pbkdf2(span text, span rest, kdf *out)
{
    (void)text;
    return read_labelled(rest, CODE_HEX, 8, 185000, out);
}

/* {pbkdf2@SpringSecurity_v5_8}: 16 bytes of salt */
bool
fb_kdf_read_spring_pbkdf2_v5_8(span text, span rest, kdf *out)
{
    (void)text;
    return read_labelled(rest, CODE_HEX, 16, 310000, out);
}

/* {PKCS5S2}, base64: 16 bytes of salt, and the key */
bool
fb_kdf_read_atlassian(span text, span rest, kdf *out)
{
    (void)text;
    return read_labelled(rest, CODE_B64_PADDED, 16, 10000, out);
}

static bool
read_hex(span *rest, uint32_t *value)
{
    span digits;
    *value = 0;
    if (!fb_text_until(rest, '$', &digits) || digits.len == 0
        || digits.len > 8) {
        return false;
    }
    for (size_t i = 0; i < digits.len; i++) {
        int digit = fb_text_hex_digit(digits.p[i], 'a');
        if (digit < 0) {
            return false;
        }
        *value = *value << 4 | (uint32_t)digit;
    }
    return digits.p[0] != '0';
}

/* {scrypt}$e0801$salt$key: the logarithm of N, r and p, of one byte each */
bool
fb_kdf_read_spring_scrypt(span text, span rest, kdf *out)
{
    (void)text;
    uint32_t costs;
    span salt;
    bool ok = fb_text_skip(&rest, "$") && read_hex(&rest, &costs)
              && fb_text_until(&rest, '$', &salt)
              && fb_text_decode(salt, CODE_B64_PADDED, out->salt,
                                sizeof out->salt, &out->salt_len)
              && fb_text_decode(rest, CODE_B64_PADDED, out->key,
                                sizeof out->key, &out->key_len)
              && out->key_len == SPRING_KEY;
    out->n = ok && costs >> 16 < 64 ? (uint64_t)1 << (costs >> 16) : 0;
    out->r = ok ? costs >> 8 & 0xff : 0;
    out->p = ok ? costs & 0xff : 0;
    return ok;
}
