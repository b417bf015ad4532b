/* Firebase's scrypt, in the text that Supabase Auth stores it in:
 * $fbscrypt$v=1,n=14,r=8,p=1,ss=separator,sk=signer$salt$hash
 * The key that scrypt makes encrypts the project's signer key, by AES-256 in
 * counter mode from zero; the hash is what comes of it. */
#include "password/password.h"

#include <string.h>

#include <openssl/crypto.h>

#include "password/kdf.h"

#define AES_KEY 32
#define AES_BLOCK 16

typedef struct {
    kdf with; /* its salt is the user's and the project's after it */
    unsigned char signer[KDF_DIGEST_MAX];
    size_t digest_at;
} firebase_hash;

static bool
read_costs(span *rest, kdf *out)
{
    uint32_t log_n;
    bool ok = fb_text_skip(rest, "$fbscrypt$v=1,n=")
              && fb_text_number(rest, &log_n) && fb_text_skip(rest, ",r=")
              && fb_text_number(rest, &out->r) && fb_text_skip(rest, ",p=")
              && fb_text_number(rest, &out->p);
    out->n = ok && log_n < 64 ? (uint64_t)1 << log_n : 0;
    return ok;
}

static bool
read_salt(span salt, span separator, kdf *out)
{
    size_t len;
    bool ok = fb_text_decode(salt, CODE_B64_PADDED, out->salt,
                             sizeof out->salt, &out->salt_len)
              && fb_text_decode(separator, CODE_B64_PADDED,
                                out->salt + out->salt_len,
                                sizeof out->salt - out->salt_len, &len);
    out->salt_len += ok ? len : 0;
    return ok;
}

CHECKED static status
read_text(span text, firebase_hash *out)
{
    span rest = text, separator, signer, salt;
    size_t len;
    *out = (firebase_hash){0};
    bool ok = read_costs(&rest, &out->with) && fb_text_skip(&rest, ",ss=")
              && fb_text_until(&rest, ',', &separator)
              && fb_text_skip(&rest, "sk=")
              && fb_text_until(&rest, '$', &signer)
              && fb_text_until(&rest, '$', &salt)
              && read_salt(salt, separator, &out->with)
              && fb_text_decode(signer, CODE_B64_PADDED, out->signer,
                                sizeof out->signer, &len)
              && fb_text_decode(rest, CODE_B64_PADDED, out->with.key,
                                sizeof out->with.key, &out->with.key_len)
              && len >= AES_BLOCK && out->with.key_len == len;
    out->digest_at = text.len - rest.len;
    return ok ? fb_kdf_check_cost(&out->with) : STATUS_HASH_MALFORMED;
}

status
fb_firebase_check(const format *row, span setting, hash_parts *out)
{
    (void)row;
    firebase_hash read;
    status result = read_text(setting, &read);
    *out = (hash_parts){
        .rounds = read.with.n,
        .lanes = read.with.p,
        .block = read.with.r,
        .salt = read.with.salt_len,
        .digest = read.with.key_len,
        .digest_at = read.digest_at,
    };
    OPENSSL_cleanse(&read, sizeof read);
    return result;
}

/* Writes as many bytes as the signer key has. */
CHECKED static status
encrypt(const firebase_hash *with, const unsigned char *key,
        unsigned char *out)
{
    static const unsigned char zeros[AES_BLOCK];
    int len = 0;
    fb_failure_forget();
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    bool ok =
        context != NULL
        && EVP_EncryptInit_ex(context, EVP_aes_256_ctr(), NULL, key, zeros)
               == 1
        && EVP_EncryptUpdate(context, out, &len, with->signer,
                             (int)with->with.key_len)
               == 1
        && (size_t)len == with->with.key_len;
    EVP_CIPHER_CTX_free(context);
    return ok ? STATUS_OK : fb_failure_of(STATUS_CRYPTO_FAILED);
}

status
fb_firebase_verify(const format *row, const hash_means *means, span password,
                   span hash, unsigned threads, bool *matches)
{
    (void)row;
    (void)threads; /* one */
    firebase_hash read;
    unsigned char key[AES_KEY] = {0}, made[KDF_DIGEST_MAX] = {0};
    *matches = false;
    status result = read_text(hash, &read);
    if (result == STATUS_OK) {
        result = fb_kdf_compute(&read.with, means, password, AES_KEY, key);
    }
    if (result == STATUS_OK) {
        result = encrypt(&read, key, made);
    }
    if (result == STATUS_OK) {
        *matches = CRYPTO_memcmp(made, read.with.key, read.with.key_len) == 0;
    }
    OPENSSL_cleanse(&read, sizeof read);
    OPENSSL_cleanse(key, sizeof key);
    OPENSSL_cleanse(made, sizeof made);
    return result;
}
