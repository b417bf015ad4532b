/* The cookie session_data, sealed: a JWE (RFC 7516). */
#include "better_auth/session.h"

#include <openssl/rand.h>

#define IV_LEN 16
#define TAG_LEN 32

bool
fb_session_is_sealed_with(const session_secret *secret, span value)
{
    size_t len = secret->header_len;
    return value.len > len + 2
           && fb_text_begins(value, (span){secret->header, len})
           && memcmp(value.p + len, "..", 2) == 0;
}

status
fb_session_open(const session_secret *secret, span value,
                unsigned char *scratch, span *text)
{
    unsigned char iv[IV_LEN], tag[TAG_LEN];
    span header = {secret->header, secret->header_len};
    span rest = {value.p + header.len + 2, value.len - header.len - 2};
    span parts[2];
    if (!fb_text_until(&rest, '.', &parts[0])
        || !fb_text_until(&rest, '.', &parts[1])
        || memchr(rest.p, '.', rest.len) != NULL) {
        return STATUS_SESSION_DATA;
    }
    size_t cipher_len = fb_b64url_decoded(parts[1].len), len = 0;
    if (fb_b64url_decoded(parts[0].len) != IV_LEN
        || fb_b64url_decoded(rest.len) != TAG_LEN
        || !fb_b64url_decode(parts[0].p, parts[0].len, iv)
        || !fb_b64url_decode(parts[1].p, parts[1].len, scratch)
        || !fb_b64url_decode(rest.p, rest.len, tag)) {
        return STATUS_TOKEN_BASE64;
    }
    unsigned char *plain = scratch + cipher_len;
    status result = fb_aead_open_cbc(
        fb_session_sealer(), &secret->sealed_mac, secret->key, iv, header,
        (span){(char *)scratch, cipher_len}, tag, plain, &len);
    *text = (span){(char *)plain, len};
    return result;
}

size_t
fb_session_sealed(const session_secret *secret, size_t len)
{
    size_t cipher = len + AEAD_BLOCK;
    return secret->header_len + 4 + fb_b64url_encoded(IV_LEN)
           + fb_b64url_encoded(cipher) + fb_b64url_encoded(TAG_LEN);
}

status
fb_session_seal(const session_secret *secret, const digests *all, span text,
                unsigned char *scratch, char *value, size_t *value_len)
{
    unsigned char iv[IV_LEN], tag[TAG_LEN];
    size_t len = 0;
    span header = {secret->header, secret->header_len};
    fb_failure_forget();
    if (RAND_bytes(iv, IV_LEN) <= 0) {
        return fb_failure_of(STATUS_CRYPTO_FAILED);
    }
    status result = fb_aead_seal(fb_session_sealer(), all, secret->key, iv,
                                 header, text, scratch, &len, tag);
    if (result != STATUS_OK) {
        return result;
    }
    char *end = value;
    memcpy(end, header.p, header.len);
    end += header.len;
    *end++ = '.';
    *end++ = '.';
    end = fb_b64url_encode(iv, IV_LEN, end);
    *end++ = '.';
    end = fb_b64url_encode(scratch, len, end);
    *end++ = '.';
    end = fb_b64url_encode(tag, TAG_LEN, end);
    *value_len = (size_t)(end - value);
    return STATUS_OK;
}
