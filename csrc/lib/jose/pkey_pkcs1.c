/*
 * RSA keys (RFC 8017 A.1). Templates take the numbers out of the text, into
 * memory that is cleansed: libcrypto's own readers leave copies of the text.
 */
#include "jose/jose.h"

#include <openssl/asn1t.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

enum { RSA_D, RSA_P, RSA_Q, RSA_DP, RSA_DQ, RSA_QI, RSA_SECRETS };

typedef struct {
    BIGNUM *r, *d, *t;
} rsa_other;

typedef struct {
    int32_t version;
    BIGNUM *n, *e, *secret[RSA_SECRETS];
    OPENSSL_STACK *others; /* primes beyond two, with which nothing is done */
} rsa_key;

/* clang-format off */
ASN1_SEQUENCE(rsa_other) = {
    ASN1_SIMPLE(rsa_other, r, CBIGNUM),
    ASN1_SIMPLE(rsa_other, d, CBIGNUM),
    ASN1_SIMPLE(rsa_other, t, CBIGNUM),
} static_ASN1_SEQUENCE_END(rsa_other)

ASN1_SEQUENCE(rsa_private) = {
    ASN1_EMBED(rsa_key, version, INT32),
    ASN1_SIMPLE(rsa_key, n, BIGNUM),
    ASN1_SIMPLE(rsa_key, e, BIGNUM),
    ASN1_SIMPLE(rsa_key, secret[RSA_D], CBIGNUM),
    ASN1_SIMPLE(rsa_key, secret[RSA_P], CBIGNUM),
    ASN1_SIMPLE(rsa_key, secret[RSA_Q], CBIGNUM),
    ASN1_SIMPLE(rsa_key, secret[RSA_DP], CBIGNUM),
    ASN1_SIMPLE(rsa_key, secret[RSA_DQ], CBIGNUM),
    ASN1_SIMPLE(rsa_key, secret[RSA_QI], CBIGNUM),
    ASN1_SEQUENCE_OF_OPT(rsa_key, others, rsa_other),
} static_ASN1_SEQUENCE_END_name(rsa_key, rsa_private)

ASN1_SEQUENCE(rsa_public) = {
    ASN1_SIMPLE(rsa_key, n, BIGNUM),
    ASN1_SIMPLE(rsa_key, e, BIGNUM),
} static_ASN1_SEQUENCE_END_name(rsa_key, rsa_public)

_Static_assert(RSA_SECRETS == 6, "the template names each of them");
/* clang-format on */

/* The parameter of RSA says nothing, that of RSA-PSS what it is for. */
static EVP_PKEY *
public_of(const rsa_key *key, const X509_ALGOR *algorithm)
{
    const ASN1_OBJECT *kind = NULL;
    const void *parameter = NULL;
    unsigned char *bytes = NULL;
    EVP_PKEY *evp = NULL;
    int type = EVP_PKEY_RSA, form = V_ASN1_NULL;
    if (algorithm != NULL) {
        X509_ALGOR_get0(&kind, &form, &parameter, algorithm);
        type = OBJ_obj2nid(kind);
    }
    if (type == EVP_PKEY_RSA) {
        form = V_ASN1_NULL;
        parameter = NULL;
    } else if (form != V_ASN1_SEQUENCE && form != V_ASN1_UNDEF) {
        return NULL;
    }
    int len = ASN1_item_i2d((const ASN1_VALUE *)key, &bytes,
                            ASN1_ITEM_rptr(rsa_public));
    if (len > 0) {
        evp = fb_pkey_public_of(type, form, parameter,
                                (span){(const char *)bytes, (size_t)len});
    }
    OPENSSL_free(bytes);
    return evp;
}

/* RFC 4055 1.2: parameters that are all left to their defaults restrict the
 * key as well. libcrypto does not tell that of the public half. */
static bool
push_restriction(OSSL_PARAM_BLD *build, EVP_PKEY *public_half,
                 const X509_ALGOR *algorithm)
{
    int form = V_ASN1_UNDEF;
    char digest[32];
    if (EVP_PKEY_get_base_id(public_half) != EVP_PKEY_RSA_PSS) {
        return true;
    }
    X509_ALGOR_get0(NULL, &form, NULL, algorithm);
    return form != V_ASN1_SEQUENCE
           || EVP_PKEY_get_utf8_string_param(public_half,
                                             OSSL_PKEY_PARAM_RSA_DIGEST,
                                             digest, sizeof digest, NULL)
           || OSSL_PARAM_BLD_push_utf8_string(
               build, OSSL_PKEY_PARAM_RSA_DIGEST, "SHA1", 0);
}

/* From version 3.5 on, libcrypto does not take such a number. */
static bool
has_number_beyond(const rsa_key *key)
{
    for (int i = 0; i < RSA_SECRETS; i++) {
        if (BN_num_bits(key->secret[i]) > BN_num_bits(key->n)) {
            return true;
        }
    }
    return false;
}

CHECKED static status
join(const rsa_key *key, const X509_ALGOR *algorithm, EVP_PKEY **out)
{
    static const char *const names[RSA_SECRETS] = {
        OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
        OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
        OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1};
    EVP_PKEY *public_half = public_of(key, algorithm);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    bool ok = public_half != NULL && build != NULL
              && push_restriction(build, public_half, algorithm);
    for (int i = 0; ok && i < RSA_SECRETS; i++) {
        ok = OSSL_PARAM_BLD_push_BN(build, names[i], key->secret[i]);
    }
    status result = ok ? fb_pkey_join(public_half, build, out)
                       : fb_failure_of(STATUS_KEY_UNREADABLE);
    EVP_PKEY_free(public_half);
    OSSL_PARAM_BLD_free(build);
    return result == STATUS_KEY_UNREADABLE && has_number_beyond(key)
               ? STATUS_KEY_PAIR
               : result;
}

status
fb_pkey_from_rsa_private(const X509_ALGOR *algorithm, const unsigned char **p,
                         long len, EVP_PKEY **out)
{
    status result = STATUS_KEY_UNREADABLE;
    *out = NULL;
    rsa_key *key =
        (rsa_key *)ASN1_item_d2i(NULL, p, len, ASN1_ITEM_rptr(rsa_private));
    if (key != NULL
        && (key->version != 1 || OPENSSL_sk_num(key->others) > 0)) {
        result = join(key, algorithm, out);
    }
    ASN1_item_free((ASN1_VALUE *)key, ASN1_ITEM_rptr(rsa_private));
    return result;
}

status
fb_pkey_from_rsa_public(const unsigned char **p, long len, EVP_PKEY **out)
{
    rsa_key *key =
        (rsa_key *)ASN1_item_d2i(NULL, p, len, ASN1_ITEM_rptr(rsa_public));
    *out = key == NULL ? NULL : public_of(key, NULL);
    ASN1_item_free((ASN1_VALUE *)key, ASN1_ITEM_rptr(rsa_public));
    return *out != NULL ? STATUS_OK : STATUS_KEY_UNREADABLE;
}
