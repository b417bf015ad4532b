/* Asymmetric keys from PEM and DER, and new ones. */
#include "jose/jose.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/x509.h>

#define RSA_BITS                                                              \
    2048 /* of a generated key: the least that RFC 7518 3.3 allows */

/* --- DER, one reader for each structure ---------------------------------- */

CHECKED typedef status reader(const unsigned char **p, long len, span password,
                              EVP_PKEY **out);

CHECKED static status
found(EVP_PKEY *evp, EVP_PKEY **out)
{
    *out = evp;
    return evp != NULL ? STATUS_OK : STATUS_KEY_UNREADABLE;
}

CHECKED static status
read_pkcs8(const unsigned char **p, long len, span password, EVP_PKEY **out)
{
    (void)password;
    return fb_pkey_from_pkcs8(p, len, out);
}

CHECKED static status
read_spki(const unsigned char **p, long len, span password, EVP_PKEY **out)
{
    (void)password;
    return found(d2i_PUBKEY(NULL, p, len), out);
}

CHECKED static status
read_rsa_public(const unsigned char **p, long len, span password,
                EVP_PKEY **out)
{
    (void)password;
    return fb_pkey_from_rsa_public(p, len, out);
}

CHECKED static status
read_rsa_private(const unsigned char **p, long len, span password,
                 EVP_PKEY **out)
{
    (void)password;
    return fb_pkey_from_older(fb_pkey_from_rsa_private, p, len, out);
}

CHECKED static status
read_ec_private(const unsigned char **p, long len, span password,
                EVP_PKEY **out)
{
    (void)password;
    return fb_pkey_from_older(fb_pkey_from_ec_private, p, len, out);
}

CHECKED static status
read_certificate(const unsigned char **p, long len, span password,
                 EVP_PKEY **out)
{
    X509 *certificate = d2i_X509(NULL, p, len);
    EVP_PKEY *evp = certificate == NULL ? NULL : X509_get_pubkey(certificate);
    (void)password;
    X509_free(certificate);
    return found(evp, out);
}

static const struct {
    const char *label; /* RFC 7468, and OpenSSL's older ones */
    reader *read;
} kinds[] = {
    {"PUBLIC KEY", read_spki},
    {"PRIVATE KEY", read_pkcs8},
    {"ENCRYPTED PRIVATE KEY", fb_pkey_from_sealed},
    {"CERTIFICATE", read_certificate},
    {"RSA PUBLIC KEY", read_rsa_public},
    {"RSA PRIVATE KEY", read_rsa_private},
    {"EC PRIVATE KEY", read_ec_private},
};

#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

CHECKED static status
read_once(reader *read, span bytes, span password, EVP_PKEY **out)
{
    const unsigned char *p = (const unsigned char *)bytes.p;
    const unsigned char *end = p + bytes.len;
    *out = NULL;
    fb_failure_forget();
    status result = read(&p, (long)bytes.len, password, out);
    if (*out != NULL && p != end) {
        EVP_PKEY_free(*out);
        *out = NULL;
        result = STATUS_KEY_UNREADABLE;
    }
    status failure = fb_failure_of(result);
    return *out != NULL ? STATUS_OK : failure;
}

/* The key that is the whole of the bytes. Where it only lacked the memory,
 * libcrypto may not say so: two tries, but for what costs a derivation. */
CHECKED static status
read_whole(reader *read, span bytes, span password, EVP_PKEY **out)
{
    *out = NULL;
    if (fb_pkey_has_equation(bytes)) {
        return STATUS_KEY_CURVE;
    }
    status result = read_once(read, bytes, password, out);
    return result == STATUS_KEY_UNREADABLE && read != fb_pkey_from_sealed
               ? read_once(read, bytes, password, out)
               : result;
}

status
fb_pkey_from_der(span bytes, span password, EVP_PKEY **out)
{
    status result = STATUS_KEY_UNREADABLE;
    *out = NULL;
    if (bytes.len > KEY_TEXT_MAX) {
        return STATUS_KEY_COSTLY;
    }
    for (size_t i = 0; i < KIND_COUNT && result == STATUS_KEY_UNREADABLE;
         i++) {
        result = read_whole(kinds[i].read, bytes, password, out);
    }
    return result == STATUS_KEY_UNREADABLE ? fb_pkey_why_unreadable(bytes)
                                           : result;
}

/* --- PEM ----------------------------------------------------------------- */

/* For what a PEM block holds, or NULL. One with headers (RFC 1421), such as
 * "Proc-Type", which asks for MD5, is not a key. */
static reader *
reader_of(span label, span body)
{
    bool has_headers = memchr(body.p, ':', body.len) != NULL;
    for (size_t i = 0; i < KIND_COUNT && !has_headers; i++) {
        if (label.len == strlen(kinds[i].label)
            && memcmp(label.p, kinds[i].label, label.len) == 0) {
            return kinds[i].read;
        }
    }
    return NULL;
}

CHECKED static status
read_block(reader *read, span bytes, span password, EVP_PKEY **out)
{
    status result = read == NULL ? STATUS_KEY_UNREADABLE
                                 : read_whole(read, bytes, password, out);
    return result == STATUS_KEY_UNREADABLE ? fb_pkey_why_unreadable(bytes)
                                           : result;
}

/* The first block of a kind that is read is the key, whatever comes of it:
 * each may cost a derivation. Blocks such as EC PARAMETERS may stand before
 * it. */
CHECKED static status
read_blocks(span text, char *room, span password, EVP_PKEY **out)
{
    status result = STATUS_KEY_UNREADABLE;
    span label, body, bytes;
    int i = 0;
    fb_failure_forget();
    for (bool is_found = false; result == STATUS_KEY_UNREADABLE && !is_found
                                && fb_pkey_block_next(&text, &label, &body);
         i++) {
        reader *read = reader_of(label, body);
        is_found = read != NULL;
        if (i == KEY_BLOCKS_MAX) {
            result = STATUS_KEY_COSTLY;
        } else if (fb_pkey_block_decode(body, room, &bytes)) {
            result = read_block(read, bytes, password, out);
        }
    }
    return i == 0 ? STATUS_KEY_NO_PEM : result;
}

status
fb_pkey_from_pem(span text, span password, EVP_PKEY **out)
{
    *out = NULL;
    if (text.len > KEY_TEXT_MAX) {
        return STATUS_KEY_COSTLY;
    }
    if (text.len == 0) {
        return STATUS_KEY_NO_PEM;
    }
    char *room = OPENSSL_malloc(2 * text.len);
    if (room == NULL) {
        return STATUS_NO_MEMORY;
    }
    status result = read_blocks(text, room, password, out);
    OPENSSL_clear_free(room, 2 * text.len);
    return result;
}

/* --- new ones ------------------------------------------------------------ */

status
fb_pkey_generate(const alg *algorithm, EVP_PKEY **out)
{
    const char *name = algorithm->curve != NULL ? algorithm->curve : "Ed25519";
    const curve *on = fb_alg_find_curve(name, strlen(name));
    fb_failure_forget();
    if (algorithm->kind == KIND_RSA || algorithm->kind == KIND_PSS) {
        *out = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)RSA_BITS);
    } else if (algorithm->kind == KIND_EC) {
        *out = EVP_PKEY_Q_keygen(NULL, NULL, "EC", on->group);
    } else {
        *out = EVP_PKEY_Q_keygen(NULL, NULL, on->group);
    }
    return *out != NULL ? STATUS_OK : fb_failure_of(STATUS_CRYPTO_FAILED);
}
