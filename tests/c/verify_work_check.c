/*
 * How often libcrypto is asked whether a signature is right. Once is enough
 * where it says what is wrong with it; where it says nothing, it may only have
 * lacked the memory to look, and is asked again. The linker puts the functions
 * below in the place of libcrypto's.
 *
 *   make build/check/verify_work_check && build/check/verify_work_check
 */
#include "jose/jose.h"

#include <openssl/err.h>

#include <stdio.h>
#include <stdlib.h>

static unsigned asked;
static bool is_silent; /* the first answer is no, for no reason */

int __real_EVP_DigestVerify(EVP_MD_CTX *ctx, const unsigned char *signature,
                            size_t signature_len, const unsigned char *text,
                            size_t len);
int
__wrap_EVP_DigestVerify(EVP_MD_CTX *ctx, const unsigned char *signature,
                        size_t signature_len, const unsigned char *text,
                        size_t len)
{
    asked++;
    if (is_silent && asked == 1) {
        ERR_raise(ERR_LIB_RSA, ERR_R_BN_LIB); /* as rsa_ossl.c does */
        ERR_raise(ERR_LIB_PROV, ERR_R_RSA_LIB);
        return 0;
    }
    return __real_EVP_DigestVerify(ctx, signature, signature_len, text, len);
}

static const span message = {"message", 7}, other = {"another", 7};

static void
need(bool ok, const char *what)
{
    if (!ok) {
        printf("cannot begin: %s\n", what);
        exit(2);
    }
}

/* A signature that is right, but for another message; one that is no number
 * below n; and one that a stranger would write. */
enum { OTHER, LARGE, ONES, FORGERIES };

static span
forged(int kind, const unsigned char *good, unsigned char *out, size_t len)
{
    if (kind == OTHER) {
        memcpy(out, good, len);
        return other;
    }
    memset(out, kind == LARGE ? 0xff : 1, len);
    return message;
}

static bool
is_as(const char *name, const char *what, status found, status wanted,
      unsigned times)
{
    if (found == wanted && asked == times) {
        return true;
    }
    printf("%s, %s: status %d after %u questions, not %d after %u\n", name,
           what, (int)found, asked, (int)wanted, times);
    return false;
}

/* `once` of what libcrypto says something of; `silently` of the others. */
static bool
is_asked(const char *name, unsigned once, unsigned silently)
{
    static digests all;
    const alg *with = fb_alg_find(name, strlen(name));
    unsigned char good[SIGNATURE_MAX], bad[SIGNATURE_MAX];
    EVP_PKEY *evp;
    pkey key;
    need(fb_digest_fetch_all(&all, true)
             && fb_pkey_generate(with, &evp) == STATUS_OK
             && fb_pkey_make(&key, evp, with, &all) == STATUS_OK
             && fb_pkey_sign(&key, message, good) == STATUS_OK,
         name);
    asked = 0;
    bool ok = is_as(name, "a right one", fb_pkey_verify(&key, message, good),
                    STATUS_OK, 1);
    for (int kind = 0; kind < FORGERIES; kind++) {
        span text = forged(kind, good, bad, key.signature);
        asked = 0;
        status found = fb_pkey_verify(&key, text, bad);
        ok &= is_as(name, "a forged one", found, STATUS_SIGNATURE_WRONG, once);
    }
    is_silent = true;
    asked = 0;
    status found = fb_pkey_verify(&key, message, good);
    ok &= is_as(name, "a right one and silence", found,
                silently == 1 ? STATUS_SIGNATURE_WRONG : STATUS_OK, silently);
    is_silent = false;
    fb_pkey_clear(&key);
    fb_digest_free_all(&all);
    return ok;
}

int
main(void)
{
    bool ok = is_asked("RS256", 1, 1);
    ok &= is_asked("PS256", 1, 2);
    ok &= is_asked("ES256", 1, 1);
    ok &= is_asked("Ed25519", 2, 2);
    ok &= is_asked("Ed448", 2, 2);
    return ok ? 0 : 1;
}
