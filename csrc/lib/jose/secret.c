/* Asymmetric key material must not become an HMAC secret (RFC 8725 3.1):
 * whoever knows the public key could sign. */
#include "jose/jose.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

static char
capital(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static bool
is_blank(char c)
{
    return c == '\0' || c == ' ' || (c >= '\t' && c <= '\r');
}

/* JSON may write any character of ASCII as \u00XX (RFC 8259 7). Returns how
 * many characters that are: a URL's escape, or one that stands for itself. */
static size_t
resolve_one(const char *p, size_t len, char *c)
{
    bool is_one = len >= 6 && memcmp(p, "\\U00", 4) == 0;
    int high = is_one ? fb_text_hex_digit(p[4], 'A') : -1;
    int low = is_one ? fb_text_hex_digit(p[5], 'A') : -1;
    if (high < 0 || low < 0) {
        return fb_secret_unescape(p, len, c);
    }
    *c = (char)(high << 4 | low);
    return 6;
}

static size_t
resolve_escapes(char *text, size_t len)
{
    size_t out = 0, at = 0;
    while (at < len) {
        char c;
        at += resolve_one(text + at, len - at, &c);
        if (!is_blank(c)) {
            text[out++] = capital(c);
        }
    }
    return out;
}

/* The secret as the text a person meant: in capitals, without NULs (UTF-16 is
 * text with NULs between) and white space. */
static size_t
fold(span secret, char *out)
{
    size_t len = 0;
    for (size_t i = 0; i < secret.len; i++) {
        if (!is_blank(secret.p[i])) {
            out[len++] = capital(secret.p[i]);
        }
    }
    return resolve_escapes(out, len);
}

static const char *
find(const char *text, size_t len, const char *part)
{
    const char *end = text + len;
    size_t part_len = strlen(part);
    while ((size_t)(end - text) >= part_len
           && (text = memchr(text, part[0], (size_t)(end - text))) != NULL) {
        if ((size_t)(end - text) >= part_len
            && memcmp(text, part, part_len) == 0) {
            return text;
        }
        text++;
    }
    return NULL;
}

static bool
contains_any(const char *text, size_t len, const char *const *parts)
{
    for (; *parts != NULL; parts++) {
        if (find(text, len, *parts) != NULL) {
            return true;
        }
    }
    return false;
}

/* The labels of RFC 7468, RFC 4716, OpenSSL and OpenSSH, without spaces. */
/* clang-format off */
static const char *const pem_labels[] = {
    "PUBLICKEY", "PRIVATEKEY", "ENCRYPTEDPRIVATEKEY", "RSAPUBLICKEY",
    "RSAPRIVATEKEY", "ECPUBLICKEY", "ECPRIVATEKEY", "DSAPUBLICKEY",
    "DSAPRIVATEKEY", "ANYPRIVATEKEY", "OPENSSHPRIVATEKEY", "SSH2PUBLICKEY",
    "SSH2ENCRYPTEDPRIVATEKEY", "CERTIFICATE", "X509CERTIFICATE", "X509CRL",
    "TRUSTEDCERTIFICATE", "CERTIFICATEREQUEST", "NEWCERTIFICATEREQUEST",
    "ECPARAMETERS", "DHPARAMETERS", "PKCS7", "PKCS12", "CMS",
    "PGPPUBLICKEYBLOCK", "PGPPRIVATEKEYBLOCK", NULL};
/* clang-format on */

static bool
is_mark(char c)
{
    return !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9');
}

/* The end of the label if it stands at p, whatever marks stand between its
 * characters, or NULL. */
static const char *
skip_label(const char *p, const char *end, const char *label)
{
    while (*label != '\0') {
        while (p < end && is_mark(*p)) {
            p++;
        }
        if (p == end || *p != *label) {
            return NULL;
        }
        p++;
        label++;
    }
    return p;
}

/* The next line of PEM with that word and label, with or without its dashes,
 * or NULL; *is_dashed says which. */
static const char *
find_line(const char *text, const char *end, const char *word,
          const char *label, bool *is_dashed)
{
    const char *at = text, *after = NULL;
    while ((at = find(at, (size_t)(end - at), word)) != NULL
           && (after = skip_label(at + strlen(word), end, label)) == NULL) {
        at++;
    }
    *is_dashed = at != NULL
                 && ((at - text >= 2 && memcmp(at - 2, "--", 2) == 0)
                     || (end - after >= 2 && memcmp(after, "--", 2) == 0));
    return at == NULL ? NULL : after;
}

/* One of the two lines of a PEM block is enough, if it has dashes; without
 * them both are needed: a passphrase may have "backend private key". */
static bool
contains_pem(const char *text, size_t len, const char *label)
{
    const char *end = text + len;
    bool is_dashed = false, has_begin = false;
    const char *begin = text, *last;
    while ((begin = find_line(begin, end, "BEGIN", label, &is_dashed))
           != NULL) {
        if (is_dashed) {
            return true;
        }
        has_begin = true;
    }
    last = text;
    while ((last = find_line(last, end, "END", label, &is_dashed)) != NULL) {
        if (is_dashed || has_begin) {
            return true;
        }
    }
    return false;
}

static bool
contains_pem_line(const char *text, size_t len)
{
    for (const char *const *label = pem_labels; *label != NULL; label++) {
        if (contains_pem(text, len, *label)) {
            return true;
        }
    }
    return false;
}

/* RFC 4253 6.6, RFC 5656 3.1, RFC 8709 4: names, and base64 of the names. */
/* clang-format off */
static const char *const ssh_marks[] = {
    "SSH-RSA",      "SSH-DSS",      "SSH-ED25519", "SSH-ED448",
    "ECDSA-SHA2-N", "AAAAB3NZAC1Y", "AAAAB3NZAC1K", "AAAAC3NZAC1LZDI1",
    "AAAAE2VJZHNHLXNOYTI", "PUTTY-USER-KEY-FILE", NULL};
/* clang-format on */

/* A member "kty" (RFC 7517 4.1) or "keys" (5.1), also as Python or another
 * layer of quoting would print it. */
/* clang-format off */
static const char *const jwk_marks[] = {
    "\"KTY\":",    "'KTY':",    "\\\"KTY\\\":",
    "\"KEYS\":[",  "'KEYS':[",  "\\\"KEYS\\\":[",
    NULL};
/* clang-format on */

CHECKED static status
check_text(span secret, char *scratch)
{
    size_t len = fold(secret, scratch);
    if (contains_pem_line(scratch, len)) {
        return STATUS_KEY_IS_PEM;
    }
    if (len == 0) {
        return STATUS_KEY_EMPTY;
    }
    if (contains_any(scratch, len, ssh_marks)) {
        return STATUS_KEY_IS_SSH;
    }
    return contains_any(scratch, len, jwk_marks) ? STATUS_KEY_IS_JWK
                                                 : STATUS_OK;
}

/* scratch has room for the secret. */
CHECKED static status
check_content(span secret, char *scratch)
{
    status result = check_text(secret, scratch);
    return result == STATUS_OK && fb_secret_is_der(secret) ? STATUS_KEY_IS_DER
                                                           : result;
}

/* Random bytes are most often a secret in base64 or in hexadecimal, and they
 * may be blank. */
CHECKED static status
check_decoded(const unsigned char *bytes, size_t len, char *scratch)
{
    status result = check_content((span){(const char *)bytes, len}, scratch);
    return result == STATUS_KEY_EMPTY ? STATUS_OK : result;
}

/* What the text says, where it is another's base64 or hexadecimal form: once,
 * and not what that says again. room has thrice the length of the secret. */
CHECKED static status
check_inside(span secret, char *room)
{
    span bare = {room, fb_secret_bare(secret, room)};
    unsigned char *bytes = (unsigned char *)room + secret.len;
    char *scratch = room + 2 * secret.len;
    size_t len;
    status result = STATUS_OK;
    if (fb_secret_from_hex(bare, bytes, &len)) {
        result = check_decoded(bytes, len, scratch);
    }
    if (result == STATUS_OK
        && fb_secret_from_base64(bare, scratch, bytes, &len)) {
        result = check_decoded(bytes, len, scratch);
    }
    return result;
}

status
fb_secret_check(span secret, const alg *algorithm, bool allow_short)
{
    if (secret.len == 0) {
        return STATUS_KEY_EMPTY;
    }
    char *scratch = secret.len <= SIZE_MAX / 3 ? malloc(3 * secret.len) : NULL;
    if (scratch == NULL) {
        return STATUS_NO_MEMORY;
    }
    status result = check_content(secret, scratch);
    if (result == STATUS_OK) {
        result = check_inside(secret, scratch);
    }
    if (result == STATUS_OK && !allow_short
        && secret.len < algorithm->signature) {
        result = STATUS_KEY_SHORT;
    }
    OPENSSL_cleanse(scratch, 3 * secret.len);
    free(scratch);
    return result;
}
