/* Asymmetric keys from PEM, DER and the numbers of a JWK. */
#include "jose/jose.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/decoder.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
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

/* d2i_PublicKey() reads it in libcrypto's older way, in which not all can be
 * asked of a key. */
CHECKED static status
read_rsa_public(const unsigned char **p, long len, span password,
                EVP_PKEY **out)
{
    EVP_PKEY *evp = NULL;
    size_t left = (size_t)len;
    OSSL_DECODER_CTX *decoder = OSSL_DECODER_CTX_new_for_pkey(
        &evp, "DER", "type-specific", "RSA", EVP_PKEY_PUBLIC_KEY, NULL, NULL);
    (void)password;
    if (decoder != NULL) {
        (void)OSSL_DECODER_from_data(decoder, p, &left);
    }
    OSSL_DECODER_CTX_free(decoder);
    return found(evp, out);
}

CHECKED static status
read_rsa_private(const unsigned char **p, long len, span password,
                 EVP_PKEY **out)
{
    (void)password;
    return fb_pkey_from_private(EVP_PKEY_RSA, p, len, out);
}

CHECKED static status
read_ec_private(const unsigned char **p, long len, span password,
                EVP_PKEY **out)
{
    (void)password;
    return fb_pkey_from_private(EVP_PKEY_EC, p, len, out);
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

/* The key that is the whole of the bytes. */
CHECKED static status
read_whole(reader *read, span bytes, span password, EVP_PKEY **out)
{
    const unsigned char *p = (const unsigned char *)bytes.p;
    const unsigned char *end = p + bytes.len;
    *out = NULL;
    if (fb_pkey_has_equation(bytes)) {
        return STATUS_KEY_CURVE;
    }
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

/* For what a PEM block of that label holds, or NULL; a legacy "Proc-Type"
 * header, which asks for MD5, is not a key. */
static reader *
reader_of(const char *label, const char *header)
{
    for (size_t i = 0; i < KIND_COUNT && header[0] == '\0'; i++) {
        if (strcmp(label, kinds[i].label) == 0) {
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
read_blocks(BIO *bio, span password, EVP_PKEY **out, bool *is_found)
{
    status result = STATUS_KEY_UNREADABLE;
    char *label = NULL, *header = NULL;
    unsigned char *bytes = NULL;
    long len;
    fb_failure_forget();
    for (int i = 0; result == STATUS_KEY_UNREADABLE && !*is_found
                    && PEM_read_bio(bio, &label, &header, &bytes, &len);
         i++) {
        reader *read = reader_of(label, header);
        *is_found = read != NULL;
        result =
            i == KEY_BLOCKS_MAX
                ? STATUS_KEY_COSTLY
                : read_block(read, (span){(const char *)bytes, (size_t)len},
                             password, out);
        OPENSSL_free(label);
        OPENSSL_free(header);
        OPENSSL_clear_free(bytes, (size_t)len);
    }
    return result == STATUS_OK ? result : fb_failure_of(result);
}

CHECKED static status
read_text(span text, span password, EVP_PKEY **out, bool *is_found)
{
    BIO *bio = BIO_new_mem_buf(text.p, (int)text.len);
    status result = bio == NULL ? STATUS_NO_MEMORY
                                : read_blocks(bio, password, out, is_found);
    BIO_free(bio);
    return result;
}

/* What is not as it should be once it is tidy may have headers (RFC 1421),
 * whose lines are their own; libcrypto tells them apart. */
status
fb_pkey_from_pem(span text, span password, EVP_PKEY **out)
{
    bool is_found = false;
    *out = NULL;
    if (text.len > KEY_TEXT_MAX) {
        return STATUS_KEY_COSTLY;
    }
    char *tidy = OPENSSL_malloc(PEM_ROOM(text.len));
    if (tidy == NULL) {
        return STATUS_NO_MEMORY;
    }
    size_t len = fb_pkey_tidy_pem(text, tidy);
    status result =
        len == 0 ? STATUS_KEY_NO_PEM
                 : read_text((span){tidy, len}, password, out, &is_found);
    if (result == STATUS_KEY_UNREADABLE && !is_found) {
        result = read_text(text, password, out, &is_found);
    }
    OPENSSL_clear_free(tidy, PEM_ROOM(text.len));
    return result;
}

/* --- parts --------------------------------------------------------------- */

static EVP_PKEY *
from_params(const char *type, OSSL_PARAM *params)
{
    EVP_PKEY *evp = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    bool ok = params != NULL && ctx != NULL && EVP_PKEY_fromdata_init(ctx) > 0
              && EVP_PKEY_fromdata(ctx, &evp, EVP_PKEY_KEYPAIR, params) > 0;
    EVP_PKEY_CTX_free(ctx);
    return ok ? evp : NULL;
}

/* Adds a number that is there; *number keeps it alive until the parameters
 * are made. Of a secure one libcrypto cleanses its copies, too. */
static bool
push(OSSL_PARAM_BLD *build, const char *name, span part, BIGNUM **number)
{
    if (part.len == 0) {
        return true;
    }
    *number = BN_secure_new();
    return *number != NULL
           && BN_bin2bn((const unsigned char *)part.p, (int)part.len, *number)
                  != NULL
           && OSSL_PARAM_BLD_push_BN(build, name, *number);
}

status
fb_pkey_from_rsa(const rsa_parts *parts, EVP_PKEY **out)
{
    const struct {
        const char *name;
        span part;
    } all[] = {
        {OSSL_PKEY_PARAM_RSA_N, parts->n},
        {OSSL_PKEY_PARAM_RSA_E, parts->e},
        {OSSL_PKEY_PARAM_RSA_D, parts->d},
        {OSSL_PKEY_PARAM_RSA_FACTOR1, parts->p},
        {OSSL_PKEY_PARAM_RSA_FACTOR2, parts->q},
        {OSSL_PKEY_PARAM_RSA_EXPONENT1, parts->dp},
        {OSSL_PKEY_PARAM_RSA_EXPONENT2, parts->dq},
        {OSSL_PKEY_PARAM_RSA_COEFFICIENT1, parts->qi},
    };
    fb_failure_forget();
    BIGNUM *numbers[8] = {NULL};
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    bool ok = build != NULL;
    for (int i = 0; ok && i < 8; i++) {
        ok = push(build, all[i].name, all[i].part, &numbers[i]);
    }
    OSSL_PARAM *params = ok ? OSSL_PARAM_BLD_to_param(build) : NULL;
    *out = from_params("RSA", params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    for (int i = 0; i < 8; i++) {
        BN_clear_free(numbers[i]);
    }
    return *out != NULL ? STATUS_OK : fb_failure_of(STATUS_CRYPTO_FAILED);
}

static EVP_PKEY *
from_edwards(const curve *on, span x, span d)
{
    int type = on->bytes == 32 ? EVP_PKEY_ED25519 : EVP_PKEY_ED448;
    return d.len > 0 ? EVP_PKEY_new_raw_private_key(
               type, NULL, (const unsigned char *)d.p, d.len)
                     : EVP_PKEY_new_raw_public_key(
                         type, NULL, (const unsigned char *)x.p, x.len);
}

static EVP_PKEY *
from_ec(const curve *on, span x, span y, span d)
{
    unsigned char point[1 + 2 * 66] = {0x04}; /* SEC 1 2.3.3, uncompressed */
    BIGNUM *number = NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    memcpy(point + 1, x.p, on->bytes);
    memcpy(point + 1 + on->bytes, y.p, on->bytes);
    bool ok = build != NULL
              && OSSL_PARAM_BLD_push_utf8_string(
                  build, OSSL_PKEY_PARAM_GROUP_NAME, on->group, 0)
              && OSSL_PARAM_BLD_push_octet_string(
                  build, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * on->bytes)
              && push(build, OSSL_PKEY_PARAM_PRIV_KEY, d, &number);
    OSSL_PARAM *params = ok ? OSSL_PARAM_BLD_to_param(build) : NULL;
    EVP_PKEY *evp = from_params("EC", params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_clear_free(number);
    return evp;
}

CHECKED static status
from_curve(const curve *on, span x, span y, span d, EVP_PKEY **out)
{
    fb_failure_forget();
    *out = on->kind == KIND_ED ? from_edwards(on, x, d) : from_ec(on, x, y, d);
    return *out != NULL ? STATUS_OK : fb_failure_of(STATUS_KEY_POINT);
}

/* Where it only lacked the memory, libcrypto may not say so: two tries. */
status
fb_pkey_from_curve(const curve *on, span x, span y, span d, EVP_PKEY **out)
{
    status result = from_curve(on, x, y, d, out);
    return result == STATUS_KEY_POINT ? from_curve(on, x, y, d, out) : result;
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
