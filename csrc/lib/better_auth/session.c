/* What a Better Auth server signs and seals with its secret: the values of its
 * cookies session_token and session_data. */
#include "core.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>

#include "hash_text.h"

/* --- the secret ----------------------------------------------------------------- */

static const aead *
sealer(void)
{
    return aead_find("A256CBC-HS512", 13);
}

/* RFC 5869, with the salt and the label of session data. */
static bool
derive_key(span secret, unsigned char *key)
{
    static const char salt[] = "better-auth-session";
    static const char label[] = "BetterAuth.js Generated Encryption Key";
    EVP_KDF *hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = hkdf == NULL ? NULL : EVP_KDF_CTX_new(hkdf);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, "SHA256", 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)secret.p,
                                          secret.len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt,
                                          sizeof salt - 1),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)label,
                                          sizeof label - 1),
        OSSL_PARAM_construct_end(),
    };
    bool ok = context != NULL
              && EVP_KDF_derive(context, key, SESSION_KEY, params) > 0;
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(hkdf);
    return ok;
}

/* The header of sealed data names the key by its thumbprint (RFC 7638). */
static bool
write_header(session_secret *secret, const digests *all)
{
    char jwk[128], json[128];
    unsigned char print[SHA256_DIGEST_LENGTH];
    char *end = jwk;
    memcpy(end, "{\"k\":\"", 6);
    end = b64url_encode(secret->key, SESSION_KEY, end + 6);
    memcpy(end, "\",\"kty\":\"oct\"}", 14);
    end += 14;
    bool ok = EVP_Digest(jwk, (size_t)(end - jwk), print, NULL,
                         all->md[DIGEST_SHA256], NULL)
              > 0;
    OPENSSL_cleanse(jwk, sizeof jwk);
    static const char start[] =
        "{\"alg\":\"dir\",\"enc\":\"A256CBC-HS512\",\"kid\":\"";
    end = json + sizeof start - 1;
    memcpy(json, start, sizeof start - 1);
    end = b64url_encode(print, sizeof print, end);
    memcpy(end, "\"}", 2);
    end = b64url_encode((unsigned char *)json, (size_t)(end + 2 - json),
                        secret->header);
    secret->header_len = (size_t)(end - secret->header);
    return ok;
}

status
session_secret_init(session_secret *secret, const digests *all, span text)
{
    *secret = (session_secret){.header_len = 0};
    if (!hmac_key_init(&secret->mac, all, DIGEST_SHA256,
                       (const unsigned char *)text.p, text.len)) {
        return STATUS_CRYPTO_FAILED;
    }
    if (!derive_key(text, secret->key) || !write_header(secret, all)
        || !aead_mac_init(&secret->sealed_mac, sealer(), all, secret->key)) {
        session_secret_clear(secret);
        ERR_clear_error();
        return STATUS_CRYPTO_FAILED;
    }
    return STATUS_OK;
}

void
session_secret_clear(session_secret *secret)
{
    hmac_key_clear(&secret->mac);
    hmac_key_clear(&secret->sealed_mac);
    OPENSSL_cleanse(secret, sizeof *secret);
}

/* --- session_token: token '.' base64 of its MAC ------------------------------------ */

bool
session_token_is_one(span text)
{
    bool ok = text.len == SESSION_TOKEN;
    for (size_t i = 0; ok && i < text.len; i++) {
        char c = text.p[i];
        ok = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')
             || (c >= 'a' && c <= 'z');
    }
    return ok;
}

bool
session_token_sign(const session_secret *secret, const char *text,
                   char *signature)
{
    unsigned char mac[MAC_MAX];
    char room[2 * SHA256_DIGEST_LENGTH + 4];
    bool ok = hmac_sign(&secret->mac, text, SESSION_TOKEN, mac);
    (void)text_encode(mac, SHA256_DIGEST_LENGTH, CODE_B64_PADDED, room);
    memcpy(signature, room, SESSION_SIGNATURE);
    return ok;
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
 * token only the signature has what is ever escaped. */
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
session_token_read(const session_secret *secret, span value, char *text)
{
    char plain[SESSION_SIGNED], expected[SESSION_SIGNATURE];
    if (!unwrap(value, plain)
        || !session_token_is_one((span){plain, SESSION_TOKEN})) {
        return STATUS_SESSION_TOKEN;
    }
    if (!session_token_sign(secret, plain, expected)) {
        return STATUS_CRYPTO_FAILED;
    }
    if (CRYPTO_memcmp(expected, plain + SESSION_TOKEN + 1, sizeof expected)
        != 0) {
        return STATUS_SIGNATURE_WRONG;
    }
    memcpy(text, plain, SESSION_TOKEN);
    return STATUS_OK;
}

/* --- session_data, compact: an envelope with its own MAC --------------------------- */

#define COMPACT_START "{\"session\":"
#define COMPACT_EXPIRES ",\"expiresAt\":"
#define COMPACT_MAC ",\"signature\":\""
#define COMPACT_MAC_LEN 43
#define COMPACT_END "\"}"

static bool
begins(span *rest, const char *word)
{
    return text_skip(rest, word);
}

static bool
ends(span *rest, const char *word)
{
    size_t len = strlen(word);
    bool ok =
        rest->len >= len && memcmp(rest->p + rest->len - len, word, len) == 0;
    if (ok) {
        rest->len -= len;
    }
    return ok;
}

/* Milliseconds without leading zeros, at the end of what is left. */
static bool
ends_in_number(span *rest, int64_t *number)
{
    size_t digits = 0;
    int64_t value = 0, unit = 1;
    while (digits < rest->len && digits < 16
           && rest->p[rest->len - 1 - digits] >= '0'
           && rest->p[rest->len - 1 - digits] <= '9') {
        value += unit * (rest->p[rest->len - 1 - digits] - '0');
        unit *= 10;
        digits++;
    }
    bool ok = digits > 0 && (digits == 1 || value >= unit / 10);
    rest->len -= digits;
    *number = value;
    return ok;
}

/* Cuts the envelope exactly as its maker writes it. */
static bool
split_compact(span text, span *payload, span *tail, span *mac,
              int64_t *expires_at)
{
    span rest = text;
    bool ok = begins(&rest, COMPACT_START) && ends(&rest, COMPACT_END)
              && rest.len > COMPACT_MAC_LEN;
    if (!ok) {
        return false;
    }
    rest.len -= COMPACT_MAC_LEN;
    *mac = (span){rest.p + rest.len, COMPACT_MAC_LEN};
    if (!ends(&rest, COMPACT_MAC)) {
        return false;
    }
    const char *end = rest.p + rest.len;
    if (!ends_in_number(&rest, expires_at) || !ends(&rest, COMPACT_EXPIRES)) {
        return false;
    }
    *payload = rest;
    *tail = (span){rest.p + rest.len, (size_t)(end - rest.p) - rest.len};
    return rest.len >= 2 && rest.p[rest.len - 1] == '}';
}

status
session_compact_read(const session_secret *secret, char *json, size_t len,
                     span *payload, int64_t *expires_at)
{
    span tail, claimed;
    unsigned char mac[MAC_MAX];
    char expected[COMPACT_MAC_LEN];
    if (!split_compact((span){json, len}, payload, &tail, &claimed,
                       expires_at)) {
        return STATUS_SESSION_DATA;
    }
    /* What was signed is the payload with expiresAt as its last member: it
     * takes the place of the closing brace, which comes back after it. */
    char *brace = json + (payload->p - json) + payload->len - 1;
    memmove(brace, tail.p, tail.len);
    brace[tail.len] = '}';
    bool ok =
        hmac_sign(&secret->mac, payload->p, payload->len + tail.len, mac);
    *brace = '}';
    if (!ok) {
        return STATUS_CRYPTO_FAILED;
    }
    b64url_encode(mac, SHA256_DIGEST_LENGTH, expected);
    return CRYPTO_memcmp(expected, claimed.p, sizeof expected) == 0
               ? STATUS_OK
               : STATUS_SIGNATURE_WRONG;
}

/* --- session_data, jwe: sealed (RFC 7516) ------------------------------------------- */

#define IV_LEN 16
#define TAG_LEN 32

bool
session_is_sealed_with(const session_secret *secret, span value)
{
    size_t len = secret->header_len;
    const char *header = secret->header;
    return value.len > len + 2
           && memcmp(value.p, header, len) == 0 /* public */
           && memcmp(value.p + len, "..", 2) == 0;
}

status
session_open(const session_secret *secret, span value, unsigned char *scratch,
             span *text)
{
    unsigned char iv[IV_LEN], tag[TAG_LEN];
    span header = {secret->header, secret->header_len};
    span rest = {value.p + header.len + 2, value.len - header.len - 2};
    span parts[2];
    if (!text_until(&rest, '.', &parts[0])
        || !text_until(&rest, '.', &parts[1])
        || memchr(rest.p, '.', rest.len) != NULL) {
        return STATUS_SESSION_DATA;
    }
    size_t cipher_len = b64url_decoded(parts[1].len), len = 0;
    if (b64url_decoded(parts[0].len) != IV_LEN
        || b64url_decoded(rest.len) != TAG_LEN
        || !b64url_decode(parts[0].p, parts[0].len, iv)
        || !b64url_decode(parts[1].p, parts[1].len, scratch)
        || !b64url_decode(rest.p, rest.len, tag)) {
        return STATUS_TOKEN_BASE64;
    }
    unsigned char *plain = scratch + cipher_len;
    status result =
        aead_open_cbc(sealer(), &secret->sealed_mac, secret->key, iv, header,
                      (span){(char *)scratch, cipher_len}, tag, plain, &len);
    *text = (span){(char *)plain, len};
    return result;
}

size_t
session_sealed(const session_secret *secret, size_t len)
{
    size_t cipher = len + AEAD_BLOCK;
    return secret->header_len + 4 + b64url_encoded(IV_LEN)
           + b64url_encoded(cipher) + b64url_encoded(TAG_LEN);
}

status
session_seal(const session_secret *secret, const digests *all, span text,
             unsigned char *scratch, char *value, size_t *value_len)
{
    unsigned char iv[IV_LEN], tag[TAG_LEN];
    size_t len = 0;
    span header = {secret->header, secret->header_len};
    if (RAND_bytes(iv, IV_LEN) <= 0) {
        ERR_clear_error();
        return STATUS_CRYPTO_FAILED;
    }
    status result = aead_seal(sealer(), all, secret->key, iv, header, text,
                              scratch, &len, tag);
    if (result != STATUS_OK) {
        return result;
    }
    char *end = value;
    memcpy(end, header.p, header.len);
    end += header.len;
    *end++ = '.';
    *end++ = '.';
    end = b64url_encode(iv, IV_LEN, end);
    *end++ = '.';
    end = b64url_encode(scratch, len, end);
    *end++ = '.';
    end = b64url_encode(tag, TAG_LEN, end);
    *value_len = (size_t)(end - value);
    return STATUS_OK;
}
