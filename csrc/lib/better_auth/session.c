/* A Better Auth server's secret, and what is derived from it. */
#include "better_auth/session.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>

const aead *
fb_session_sealer(void)
{
    return fb_aead_find("A256CBC-HS512", 13);
}

/* RFC 5869, with the salt and the label of session data. */
static bool
derive_key(span secret, unsigned char *key)
{
    static const char salt[] = "better-auth-session";
    static const char label[] = "BetterAuth.js Generated Encryption Key";
    EVP_KDF *hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = hkdf == NULL ? NULL : EVP_KDF_CTX_new(hkdf);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, "SHA256", 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)secret.p,
                                          secret.len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt,
                                          sizeof salt - 1),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)label,
                                          sizeof label - 1),
        OSSL_PARAM_construct_end(),
    };
    bool ok = context != NULL
              && EVP_KDF_derive(context, key, SESSION_KEY, params) > 0;
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(hkdf);
    return ok;
}

/* The header of sealed data names the key by its thumbprint (RFC 7638). */
static bool
write_header(session_secret *secret, const digests *all)
{
    char jwk[128], json[128];
    unsigned char print[SHA256_DIGEST_LENGTH];
    char *end = jwk;
    memcpy(end, "{\"k\":\"", 6);
    end = fb_b64url_encode(secret->key, SESSION_KEY, end + 6);
    memcpy(end, "\",\"kty\":\"oct\"}", 14);
    end += 14;
    bool ok = EVP_Digest(jwk, (size_t)(end - jwk), print, NULL,
                         all->md[DIGEST_SHA256], NULL)
              > 0;
    OPENSSL_cleanse(jwk, sizeof jwk);
    static const char start[] =
        "{\"alg\":\"dir\",\"enc\":\"A256CBC-HS512\",\"kid\":\"";
    end = json + sizeof start - 1;
    memcpy(json, start, sizeof start - 1);
    end = fb_b64url_encode(print, sizeof print, end);
    memcpy(end, "\"}", 2);
    end = fb_b64url_encode((unsigned char *)json, (size_t)(end + 2 - json),
                           secret->header);
    secret->header_len = (size_t)(end - secret->header);
    return ok;
}

status
fb_session_secret_init(session_secret *secret, const digests *all, span text)
{
    *secret = (session_secret){.header_len = 0};
    status result = fb_hmac_key_init(&secret->mac, all, DIGEST_SHA256,
                                     (const unsigned char *)text.p, text.len);
    if (result != STATUS_OK) {
        return result;
    }
    if (!derive_key(text, secret->key) || !write_header(secret, all)) {
        result = fb_failure_of(STATUS_CRYPTO_FAILED);
    } else {
        result = fb_aead_mac_init(&secret->sealed_mac, fb_session_sealer(),
                                  all, secret->key);
    }
    if (result != STATUS_OK) {
        fb_session_secret_clear(secret);
    }
    return result;
}

void
fb_session_secret_clear(session_secret *secret)
{
    fb_hmac_key_clear(&secret->mac);
    fb_hmac_key_clear(&secret->sealed_mac);
    OPENSSL_cleanse(secret, sizeof *secret);
}
