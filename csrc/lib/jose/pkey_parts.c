/* Asymmetric keys from their numbers. */
#include "jose/jose.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

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

/* --- a public half, and the private numbers ------------------------------ */

EVP_PKEY *
fb_pkey_public_of(int type, int form, const void *parameter, span bytes)
{
    unsigned char *der = NULL, *copy = OPENSSL_memdup(bytes.p, bytes.len);
    void *own = form == V_ASN1_SEQUENCE ? ASN1_STRING_dup(parameter)
                                        : (void *)parameter;
    X509_PUBKEY *info = X509_PUBKEY_new();
    EVP_PKEY *evp = NULL;
    bool is_set = info != NULL && copy != NULL
                  && (own != NULL || parameter == NULL)
                  && X509_PUBKEY_set0_param(info, OBJ_nid2obj(type), form, own,
                                            copy, (int)bytes.len);
    int len = is_set ? i2d_X509_PUBKEY(info, &der) : 0;
    if (len > 0) {
        const unsigned char *p = der;
        evp = d2i_PUBKEY(NULL, &p, len);
    }
    OPENSSL_free(der);
    X509_PUBKEY_free(info);
    if (!is_set) {
        OPENSSL_free(copy);
        ASN1_STRING_free(form == V_ASN1_SEQUENCE ? own : NULL);
    }
    return evp;
}

status
fb_pkey_join(EVP_PKEY *public_half, OSSL_PARAM_BLD *private_half,
             EVP_PKEY **out)
{
    OSSL_PARAM *open = NULL, *secret = NULL, *both = NULL;
    *out = NULL;
    if (public_half != NULL
        && EVP_PKEY_todata(public_half, EVP_PKEY_PUBLIC_KEY, &open)
        && (secret = OSSL_PARAM_BLD_to_param(private_half)) != NULL
        && (both = OSSL_PARAM_merge(open, secret)) != NULL) {
        *out = from_params(EVP_PKEY_get0_type_name(public_half), both);
    }
    OPENSSL_free(both); /* which borrows the numbers of the others */
    OSSL_PARAM_free(secret);
    OSSL_PARAM_free(open);
    return *out != NULL ? STATUS_OK : fb_failure_of(STATUS_KEY_UNREADABLE);
}

/* --- the numbers of a JWK ------------------------------------------------ */

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
