/* The cookie session_token: token '.' base64 of its MAC. */
#include "better_auth/session.h"

#include <openssl/crypto.h>

bool
fb_session_token_is_one(span text)
{
    bool ok = text.len == SESSION_TOKEN;
    for (size_t i = 0; ok && i < text.len; i++) {
        char c = text.p[i];
        ok = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')
             || (c >= 'a' && c <= 'z');
    }
    return ok;
}

status
fb_session_token_sign(const session_secret *secret, const char *text,
                      char *signature)
{
    unsigned char mac[MAC_MAX] = {0};
    char encoded[2 * SHA256_DIGEST_LENGTH + 4];
    status result = fb_hmac_sign(&secret->mac, text, SESSION_TOKEN, mac);
    (void)fb_text_encode(mac, SHA256_DIGEST_LENGTH, CODE_B64_PADDED, encoded);
    memcpy(signature, encoded, SESSION_SIGNATURE);
    return result;
}

static int
unescaped(const char *p)
{
    static const struct {
        char text[4];
        char c;
    } known[] = {{"%2B", '+'}, {"%2F", '/'}, {"%3D", '='},
                 {"%2b", '+'}, {"%2f", '/'}, {"%3d", '='}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (memcmp(p, known[i].text, 3) == 0) {
            return known[i].c;
        }
    }
    return -1;
}

/* A cookie's value may be escaped, and quoted (RFC 6265 4.1.1); of a signed
 * token, only the signature has characters that are ever escaped. */
static bool
unwrap(span value, char *plain)
{
    if (value.len >= 2 && value.p[0] == '"' && value.p[value.len - 1] == '"') {
        value = (span){value.p + 1, value.len - 2};
    }
    size_t len = 0;
    for (size_t at = 0; at < value.len; at++) {
        int c = value.p[at];
        if (c == '%') {
            c = value.len - at < 3 ? -1 : unescaped(value.p + at);
            at += 2;
        }
        if (c < 0 || len == SESSION_SIGNED) {
            return false;
        }
        plain[len++] = (char)c;
    }
    return len == SESSION_SIGNED && plain[SESSION_TOKEN] == '.';
}

status
fb_session_token_read(const session_secret *secret, span value, char *text)
{
    char plain[SESSION_SIGNED];
    unsigned char mac[MAC_MAX] = {0}, claimed[MAC_MAX] = {0};
    size_t len = 0;
    if (!unwrap(value, plain)
        || !fb_session_token_is_one((span){plain, SESSION_TOKEN})) {
        return STATUS_SESSION_TOKEN;
    }
    status result = fb_hmac_sign(&secret->mac, plain, SESSION_TOKEN, mac);
    if (result != STATUS_OK) {
        return result;
    }
    /* Bytes are compared: no table is looked up by the right MAC. */
    span signature = {plain + SESSION_TOKEN + 1, SESSION_SIGNATURE};
    if (!fb_text_decode(signature, CODE_B64_PADDED, claimed, sizeof claimed,
                        &len)
        || len != SHA256_DIGEST_LENGTH
        || CRYPTO_memcmp(mac, claimed, SHA256_DIGEST_LENGTH) != 0) {
        return STATUS_SIGNATURE_WRONG;
    }
    memcpy(text, plain, SESSION_TOKEN);
    return STATUS_OK;
}
