/* Asymmetric keys back to PEM, and their public halves. */
#include "jose/jose.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

status
fb_pkey_to_pem(EVP_PKEY *evp, bool is_private, BIO **out)
{
    fb_failure_forget();
    BIO *bio = BIO_new(is_private ? BIO_s_secmem() : BIO_s_mem());
    int ok = bio != NULL
             && (is_private ? PEM_write_bio_PKCS8PrivateKey(
                     bio, evp, NULL, NULL, 0, NULL, NULL)
                            : PEM_write_bio_PUBKEY(bio, evp));
    if (!ok) {
        BIO_free(bio);
        bio = NULL;
    }
    *out = bio;
    return ok ? STATUS_OK : fb_failure_of(STATUS_CRYPTO_FAILED);
}

status
fb_pkey_public(EVP_PKEY *evp, EVP_PKEY **out)
{
    unsigned char *der = NULL;
    fb_failure_forget();
    int len = i2d_PUBKEY(evp, &der);
    const unsigned char *p = der;
    *out = len > 0 ? d2i_PUBKEY(NULL, &p, len) : NULL;
    OPENSSL_free(der);
    return *out != NULL ? STATUS_OK : fb_failure_of(STATUS_CRYPTO_FAILED);
}
