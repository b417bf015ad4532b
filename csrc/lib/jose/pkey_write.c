/* Asymmetric keys back to numbers and PEM. */
#include "jose/jose.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

size_t
pkey_number(EVP_PKEY *evp, const char *name, size_t width, unsigned char *out)
{
    BIGNUM *number = NULL;
    size_t len = 0;
    if (EVP_PKEY_get_bn_param(evp, name, &number)) {
        len = width != 0 ? width : (size_t)BN_num_bytes(number);
        if (len > SIGNATURE_MAX
            || BN_bn2binpad(number, out, (int)len) != (int)len) {
            len = 0;
        }
    }
    BN_clear_free(number);
    ERR_clear_error();
    return len;
}

size_t
pkey_raw(EVP_PKEY *evp, bool is_private, unsigned char *out)
{
    size_t len = SIGNATURE_MAX;
    int ok = is_private ? EVP_PKEY_get_raw_private_key(evp, out, &len)
                        : EVP_PKEY_get_raw_public_key(evp, out, &len);
    ERR_clear_error();
    return ok == 1 ? len : 0;
}

BIO *
pkey_to_pem(EVP_PKEY *evp, bool is_private)
{
    BIO *bio = BIO_new(is_private ? BIO_s_secmem() : BIO_s_mem());
    int ok = bio != NULL
             && (is_private ? PEM_write_bio_PKCS8PrivateKey(
                     bio, evp, NULL, NULL, 0, NULL, NULL)
                            : PEM_write_bio_PUBKEY(bio, evp));
    if (!ok) {
        BIO_free(bio);
        bio = NULL;
        ERR_clear_error();
    }
    return bio;
}

status
pkey_public(EVP_PKEY *evp, EVP_PKEY **out)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(evp, &der);
    const unsigned char *p = der;
    *out = len > 0 ? d2i_PUBKEY(NULL, &p, len) : NULL;
    OPENSSL_free(der);
    ERR_clear_error();
    return *out != NULL ? STATUS_OK : STATUS_CRYPTO_FAILED;
}
