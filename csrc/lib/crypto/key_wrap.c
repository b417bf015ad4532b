/* Key wrapping (RFC 3394) and RSA-OAEP (RFC 8017 7.1). */
#include "crypto/crypto.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

CHECKED static status
failed(status result)
{
    ERR_clear_error();
    return result;
}

/* --- AES key wrap -------------------------------------------------------- */

static const EVP_CIPHER *
wrapper(size_t kek)
{
    return kek == 16   ? EVP_aes_128_wrap()
           : kek == 24 ? EVP_aes_192_wrap()
           : kek == 32 ? EVP_aes_256_wrap()
                       : NULL;
}

static bool
wrap_crypt(span kek, bool encrypts, span text, unsigned char *out)
{
    int done = 0;
    const EVP_CIPHER *cipher = wrapper(kek.len);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    size_t most = encrypts ? WRAP_KEY_MAX : WRAP_KEY_MAX + 8;
    bool ok = context != NULL && cipher != NULL && text.len <= most
              && text.len % 8 == 0;
    if (ok) {
        EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
        ok = EVP_CipherInit_ex(context, cipher, NULL,
                               (const unsigned char *)kek.p, NULL, encrypts)
                 > 0
             && EVP_CipherUpdate(context, out, &done,
                                 (const unsigned char *)text.p, (int)text.len)
                    > 0;
    }
    EVP_CIPHER_CTX_free(context);
    return ok;
}

status
fb_key_wrap_aes(span kek, span key, unsigned char *out)
{
    return key.len >= 16 && wrap_crypt(kek, true, key, out)
               ? STATUS_OK
               : failed(STATUS_CRYPTO_FAILED);
}

status
fb_key_unwrap_aes(span kek, span wrapped, unsigned char *out)
{
    return wrapped.len >= 24 && wrap_crypt(kek, false, wrapped, out)
               ? STATUS_OK
               : failed(STATUS_SIGNATURE_WRONG);
}

/* --- RSA-OAEP ------------------------------------------------------------ */

typedef int (*oaep_init)(EVP_PKEY_CTX *context);
typedef int (*oaep_crypt)(EVP_PKEY_CTX *context, unsigned char *out,
                          size_t *out_len, const unsigned char *in,
                          size_t len);

static bool
oaep(EVP_PKEY *evp, bool sha256, span text, unsigned char *out,
     size_t *out_len, oaep_init init, oaep_crypt crypt)
{
    const EVP_MD *digest = sha256 ? EVP_sha256() : EVP_sha1();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(evp, NULL);
    *out_len = RSA_BYTES_MAX;
    bool ok =
        context != NULL && init(context) > 0
        && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) > 0
        && EVP_PKEY_CTX_set_rsa_oaep_md(context, digest) > 0
        && EVP_PKEY_CTX_set_rsa_mgf1_md(context, digest) > 0
        && crypt(context, out, out_len, (const unsigned char *)text.p,
                 text.len)
               > 0;
    EVP_PKEY_CTX_free(context);
    return ok;
}

status
fb_key_wrap_oaep(EVP_PKEY *evp, bool sha256, span text, unsigned char *out,
                 size_t *out_len)
{
    return oaep(evp, sha256, text, out, out_len, EVP_PKEY_encrypt_init,
                EVP_PKEY_encrypt)
               ? STATUS_OK
               : failed(STATUS_CRYPTO_FAILED);
}

/* RFC 8017 7.1.2 wants the text as long as the modulus; libcrypto takes it
 * without the zeros that it begins with, too. */
status
fb_key_unwrap_oaep(EVP_PKEY *evp, bool sha256, span text, unsigned char *out,
                   size_t *out_len)
{
    return text.len == (size_t)EVP_PKEY_get_size(evp)
                   && oaep(evp, sha256, text, out, out_len,
                           EVP_PKEY_decrypt_init, EVP_PKEY_decrypt)
               ? STATUS_OK
               : failed(STATUS_SIGNATURE_WRONG);
}
