/* The numbers of a key, and which are there: what is absent and what could not
 * be read are told apart, so that no check is left out for want of memory. */
#include "jose/jose.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>

/* Asks for one parameter, whose room is the caller's: nothing is allocated for
 * it. A part that was lost on the way leaves an error behind. */
CHECKED static status
ask(EVP_PKEY *evp, OSSL_PARAM *param, bool *is_there)
{
    OSSL_PARAM params[] = {*param, OSSL_PARAM_construct_end()};
    ERR_clear_error(); /* of what went well all the same */
    bool ok = EVP_PKEY_get_params(evp, params) > 0 && ERR_peek_error() == 0;
    size_t room = param->data_size;
    *param = params[0];
    *is_there = OSSL_PARAM_modified(param) != 0;
    if (ok) {
        return STATUS_OK;
    }
    return *is_there && param->return_size > room
               ? fb_failure_of(STATUS_KEY_PAIR) /* no key of ours is so long */
               : fb_failure_of(STATUS_CRYPTO_FAILED);
}

status
fb_pkey_bignum(EVP_PKEY *evp, const char *name, BIGNUM **out)
{
    unsigned char bytes[SIGNATURE_MAX + sizeof(BN_ULONG)];
    OSSL_PARAM param = OSSL_PARAM_construct_BN(name, bytes, sizeof bytes);
    bool is_there;
    status result = ask(evp, &param, &is_there);
    *out = NULL;
    if (result == STATUS_OK && is_there) {
        *out = BN_secure_new();
        if (*out == NULL || !OSSL_PARAM_get_BN(&param, out)) {
            BN_clear_free(*out);
            *out = NULL;
            result = fb_failure_of(STATUS_NO_MEMORY);
        }
    }
    OPENSSL_cleanse(bytes, sizeof bytes);
    return result;
}

status
fb_pkey_number(EVP_PKEY *evp, const char *name, size_t width,
               unsigned char *out, size_t *len)
{
    BIGNUM *number;
    status result = fb_pkey_bignum(evp, name, &number);
    *len = 0;
    if (result == STATUS_OK && number != NULL) {
        *len = width != 0 ? width : (size_t)BN_num_bytes(number);
        if (*len > SIGNATURE_MAX
            || BN_bn2binpad(number, out, (int)*len) != (int)*len) {
            result = fb_failure_of(STATUS_CRYPTO_FAILED);
        }
    }
    BN_clear_free(number);
    return result;
}

status
fb_pkey_raw(EVP_PKEY *evp, bool is_private, unsigned char *out, size_t *len)
{
    const char *name =
        is_private ? OSSL_PKEY_PARAM_PRIV_KEY : OSSL_PKEY_PARAM_PUB_KEY;
    OSSL_PARAM param =
        OSSL_PARAM_construct_octet_string(name, out, EDWARDS_MAX);
    bool is_there;
    status result = ask(evp, &param, &is_there);
    *len = result == STATUS_OK && is_there ? param.return_size : 0;
    return result;
}

status
fb_pkey_is_private(EVP_PKEY *evp, bool *is_private)
{
    unsigned char bytes[EDWARDS_MAX];
    BIGNUM *number = NULL;
    size_t len = 0;
    status result;
    switch (EVP_PKEY_get_base_id(evp)) {
    case EVP_PKEY_ED25519:
    case EVP_PKEY_ED448:
        result = fb_pkey_raw(evp, true, bytes, &len);
        OPENSSL_cleanse(bytes, sizeof bytes);
        break;
    case EVP_PKEY_EC:
        result = fb_pkey_bignum(evp, OSSL_PKEY_PARAM_PRIV_KEY, &number);
        break;
    default:
        result = fb_pkey_bignum(evp, OSSL_PKEY_PARAM_RSA_D, &number);
    }
    *is_private = len > 0 || number != NULL;
    BN_clear_free(number);
    return result;
}
