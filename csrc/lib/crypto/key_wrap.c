/* Key wrapping (RFC 3394) and RSA-OAEP (RFC 8017 7.1). */
#include "crypto/crypto.h"

#include <openssl/rsa.h>

/* --- AES key wrap -------------------------------------------------------- */

static const EVP_CIPHER *
wrapper(size_t kek)
{
    return kek == 16   ? EVP_aes_128_wrap()
           : kek == 24 ? EVP_aes_192_wrap()
           : kek == 32 ? EVP_aes_256_wrap()
                       : NULL;
}

/* `wrong` where it is the text that cannot be. */
CHECKED static status
wrap_crypt(span kek, bool encrypts, span text, unsigned char *out,
           status wrong)
{
    int done = 0;
    const EVP_CIPHER *cipher = wrapper(kek.len);
    size_t most = encrypts ? WRAP_KEY_MAX : WRAP_KEY_MAX + 8;
    size_t least = encrypts ? 16 : 24;
    if (cipher == NULL || text.len < least || text.len > most
        || text.len % 8 != 0) {
        return wrong;
    }
    fb_failure_forget();
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    bool is_ready = context != NULL;
    if (is_ready) {
        EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
        is_ready =
            EVP_CipherInit_ex(context, cipher, NULL,
                              (const unsigned char *)kek.p, NULL, encrypts)
            > 0;
    }
    bool ok = is_ready
              && EVP_CipherUpdate(context, out, &done,
                                  (const unsigned char *)text.p, (int)text.len)
                     > 0;
    EVP_CIPHER_CTX_free(context);
    return ok ? STATUS_OK
              : fb_failure_of(is_ready ? wrong : STATUS_CRYPTO_FAILED);
}

status
fb_key_wrap_aes(span kek, span key, unsigned char *out)
{
    return wrap_crypt(kek, true, key, out, STATUS_CRYPTO_FAILED);
}

status
fb_key_unwrap_aes(span kek, span wrapped, unsigned char *out)
{
    return wrap_crypt(kek, false, wrapped, out, STATUS_SIGNATURE_WRONG);
}

/* --- RSA-OAEP ------------------------------------------------------------ */

typedef int (*oaep_init)(EVP_PKEY_CTX *context);
typedef int (*oaep_crypt)(EVP_PKEY_CTX *context, unsigned char *out,
                          size_t *out_len, const unsigned char *in,
                          size_t len);

/* `wrong` where all is ready, and libcrypto cannot do it with the text. */
CHECKED static status
oaep(EVP_PKEY *evp, bool sha256, span text, unsigned char *out,
     size_t *out_len, oaep_init init, oaep_crypt crypt, status wrong)
{
    fb_failure_forget();
    const EVP_MD *digest = sha256 ? EVP_sha256() : EVP_sha1();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(evp, NULL);
    *out_len = RSA_BYTES_MAX;
    bool is_ready =
        context != NULL && init(context) > 0
        && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) > 0
        && EVP_PKEY_CTX_set_rsa_oaep_md(context, digest) > 0
        && EVP_PKEY_CTX_set_rsa_mgf1_md(context, digest) > 0;
    bool ok = is_ready
              && crypt(context, out, out_len, (const unsigned char *)text.p,
                       text.len)
                     > 0;
    EVP_PKEY_CTX_free(context);
    return ok ? STATUS_OK
              : fb_failure_of(is_ready ? wrong : STATUS_CRYPTO_FAILED);
}

status
fb_key_wrap_oaep(EVP_PKEY *evp, bool sha256, span text, unsigned char *out,
                 size_t *out_len)
{
    return oaep(evp, sha256, text, out, out_len, EVP_PKEY_encrypt_init,
                EVP_PKEY_encrypt, STATUS_CRYPTO_FAILED);
}

/* RFC 8017 7.1.2 wants the text as long as the modulus; libcrypto takes it
 * without the zeros that it begins with, too. */
status
fb_key_unwrap_oaep(EVP_PKEY *evp, bool sha256, span text, unsigned char *out,
                   size_t *out_len)
{
    return text.len == (size_t)EVP_PKEY_get_size(evp)
               ? oaep(evp, sha256, text, out, out_len, EVP_PKEY_decrypt_init,
                      EVP_PKEY_decrypt, STATUS_SIGNATURE_WRONG)
               : STATUS_SIGNATURE_WRONG;
}
