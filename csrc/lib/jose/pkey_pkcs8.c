/* Private keys in PKCS#8 (RFC 5958), plain and encrypted. */
#include "jose/jose.h"

#include <openssl/asn1t.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

/* --- plain --------------------------------------------------------------- */

/* A curve may be described twice: beside the key, and within it. */
static bool
has_equation(const X509_ALGOR *algorithm, span key)
{
    int type = V_ASN1_UNDEF;
    X509_ALGOR_get0(NULL, &type, NULL, algorithm);
    return type == V_ASN1_SEQUENCE || fb_pkey_has_equation(key);
}

/* RFC 8410 7. */
CHECKED static status
read_edwards(const X509_ALGOR *algorithm, const unsigned char **p, long len,
             EVP_PKEY **out)
{
    const ASN1_OBJECT *kind = NULL;
    int form = V_ASN1_UNDEF;
    ASN1_OCTET_STRING *bytes = d2i_ASN1_OCTET_STRING(NULL, p, len);
    X509_ALGOR_get0(&kind, &form, NULL, algorithm);
    *out = bytes == NULL || form != V_ASN1_UNDEF
               ? NULL
               : EVP_PKEY_new_raw_private_key(
                   OBJ_obj2nid(kind), NULL, ASN1_STRING_get0_data(bytes),
                   (size_t)ASN1_STRING_length(bytes));
    ASN1_STRING_clear_free(bytes);
    return *out != NULL ? STATUS_OK : STATUS_KEY_UNREADABLE;
}

/* Of other kinds libcrypto computes the public half while it reads, whatever
 * the size of their numbers: they are not read. */
CHECKED static status
read_inside(const PKCS8_PRIV_KEY_INFO *info, EVP_PKEY **out)
{
    const ASN1_OBJECT *kind = NULL;
    const unsigned char *key = NULL;
    const X509_ALGOR *algorithm = NULL;
    int len = 0;
    if (!PKCS8_pkey_get0(&kind, &key, &len, &algorithm, info)) {
        return STATUS_KEY_UNREADABLE;
    }
    switch (OBJ_obj2nid(kind)) {
    case EVP_PKEY_EC:
        return has_equation(algorithm, (span){(const char *)key, (size_t)len})
                   ? STATUS_KEY_CURVE
                   : fb_pkey_from_ec_private(algorithm, &key, len, out);
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
        return fb_pkey_from_rsa_private(algorithm, &key, len, out);
    case EVP_PKEY_ED25519:
    case EVP_PKEY_ED448:
        return read_edwards(algorithm, &key, len, out);
    default:
        return STATUS_KEY_UNREADABLE;
    }
}

/* Takes over what is read. */
CHECKED static status
key_of(PKCS8_PRIV_KEY_INFO *info, EVP_PKEY **out)
{
    *out = NULL;
    status result =
        info == NULL ? STATUS_KEY_UNREADABLE : read_inside(info, out);
    PKCS8_PRIV_KEY_INFO_free(info);
    return result;
}

status
fb_pkey_from_pkcs8(const unsigned char **p, long len, EVP_PKEY **out)
{
    return key_of(d2i_PKCS8_PRIV_KEY_INFO(NULL, p, len), out);
}

status
fb_pkey_from_older(private_reader *read, const unsigned char **p, long len,
                   EVP_PKEY **out)
{
    const unsigned char *start = *p;
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, p, len);
    if (info != NULL) {
        return key_of(info, out);
    }
    *p = start;
    return read(NULL, p, len, out);
}

/* --- what it costs to open an encrypted one ------------------------------ */

static bool
is_at_most(const ASN1_INTEGER *number, uint64_t most)
{
    uint64_t value;
    return ASN1_INTEGER_get_uint64(&value, number) == 1 && value <= most;
}

static void *
parameter_of(const X509_ALGOR *algorithm, const ASN1_ITEM *form)
{
    return algorithm->parameter == NULL
                   || algorithm->parameter->type != V_ASN1_SEQUENCE
               ? NULL
               : ASN1_TYPE_unpack_sequence(form, algorithm->parameter);
}

static bool
is_cheap_pbkdf2(const X509_ALGOR *derivation)
{
    PBKDF2PARAM *param = parameter_of(derivation, ASN1_ITEM_rptr(PBKDF2PARAM));
    bool is_cheap =
        param != NULL && is_at_most(param->iter, KEY_ITERATIONS_MAX);
    PBKDF2PARAM_free(param);
    return is_cheap;
}

static bool
is_cheap_scrypt(const X509_ALGOR *derivation)
{
    SCRYPT_PARAMS *param =
        parameter_of(derivation, ASN1_ITEM_rptr(SCRYPT_PARAMS));
    uint64_t n, r, p;
    bool is_cheap =
        param != NULL && is_at_most(param->costParameter, KEY_SCRYPT_MAX)
        && is_at_most(param->blockSize, KEY_SCRYPT_MAX)
        && is_at_most(param->parallelizationParameter, KEY_SCRYPT_MAX)
        && ASN1_INTEGER_get_uint64(&n, param->costParameter)
        && ASN1_INTEGER_get_uint64(&r, param->blockSize)
        && ASN1_INTEGER_get_uint64(&p, param->parallelizationParameter)
        && n * r * p <= KEY_SCRYPT_MAX; /* of 20 bits each */
    SCRYPT_PARAMS_free(param);
    return is_cheap;
}

/* RFC 8018 6.2: a derivation and a cipher. */
static bool
is_cheap_pbes2(const X509_ALGOR *algorithm)
{
    PBE2PARAM *param = parameter_of(algorithm, ASN1_ITEM_rptr(PBE2PARAM));
    bool is_cheap = false;
    if (param != NULL) {
        is_cheap = OBJ_obj2nid(param->keyfunc->algorithm) == NID_id_scrypt
                       ? is_cheap_scrypt(param->keyfunc)
                       : is_cheap_pbkdf2(param->keyfunc);
    }
    PBE2PARAM_free(param);
    return is_cheap;
}

/* RFC 8018 6.1, RFC 7292 C: what older tools write. */
static bool
is_cheap_pbes1(const X509_ALGOR *algorithm)
{
    PBEPARAM *param = parameter_of(algorithm, ASN1_ITEM_rptr(PBEPARAM));
    bool is_cheap =
        param != NULL && is_at_most(param->iter, KEY_ITERATIONS_MAX);
    PBEPARAM_free(param);
    return is_cheap;
}

/* What cannot be told is not cheap. */
static bool
is_cheap(const X509_SIG *sealed)
{
    const X509_ALGOR *algorithm;
    X509_SIG_get0(sealed, &algorithm, NULL);
    return OBJ_obj2nid(algorithm->algorithm) == NID_pbes2
               ? is_cheap_pbes2(algorithm)
               : is_cheap_pbes1(algorithm);
}

/* --- encrypted ----------------------------------------------------------- */

status
fb_pkey_from_sealed(const unsigned char **p, long len, span password,
                    EVP_PKEY **out)
{
    const unsigned char *end = *p + len;
    X509_SIG *sealed = d2i_X509_SIG(NULL, p, len);
    bool is_opened =
        sealed != NULL && *p == end && password.len > 0 && is_cheap(sealed);
    status result =
        key_of(is_opened ? PKCS8_decrypt(sealed, password.p, (int)password.len)
                         : NULL,
               out);
    X509_SIG_free(sealed);
    return result;
}

/* X509_SIG is {SEQUENCE, OCTET STRING}, which no other structure is. */
status
fb_pkey_why_unreadable(span bytes)
{
    const unsigned char *p = (const unsigned char *)bytes.p;
    const unsigned char *end = p + bytes.len;
    X509_SIG *sealed = d2i_X509_SIG(NULL, &p, (long)bytes.len);
    status result = sealed == NULL || p != end ? STATUS_KEY_UNREADABLE
                    : is_cheap(sealed)         ? STATUS_KEY_PASSWORD
                                               : STATUS_KEY_COSTLY;
    X509_SIG_free(sealed);
    return fb_failure_of(result);
}
