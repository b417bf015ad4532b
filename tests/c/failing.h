/*
 * The functions of libcrypto that the library calls and that may fail, each
 * with what it returns then, and what libsodium does. The linker puts those
 * below in their place: they call them, but for the one call that is to fail. The Makefile reads
 * their names here.
 */
#ifndef FASTBEARER_FAILING_H
#define FASTBEARER_FAILING_H

#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include <stdbool.h>

#include "base/base.h"

/* Counts calls from 0; the n-th fails, and with `on` every later one. */
static long wanted, seen;
static bool goes_on, is_spent;

static void
failing_begin(long n, bool on)
{
    wanted = n;
    goes_on = on;
    is_spent = false;
    seen = 0;
}

static bool
fails(void)
{
    seen++;
    if (wanted == 0 || seen < wanted || (seen > wanted && !goes_on)) {
        return false;
    }
    return true;
}

/* libcrypto leaves its reason with the thread. */
static bool
fails_aloud(void)
{
    bool answer = fails();
    if (answer) {
        ERR_raise(ERR_LIB_USER, ERR_R_MALLOC_FAILURE);
    }
    return answer;
}

#define REPLACED(type, name, failure, takes, given, is_failing)               \
    type __real_##name takes;                                                 \
    type __wrap_##name takes;                                                 \
    type __wrap_##name takes                                                  \
    {                                                                         \
        return is_failing() ? (failure) : __real_##name given;                \
    }
#define WRAPPED(type, name, failure, takes, given)                            \
    REPLACED(type, name, failure, takes, given, fails_aloud)

#define F0(type, name, failure) WRAPPED(type, name, failure, (void), ())
#define F1(type, name, failure, A)                                            \
    WRAPPED(type, name, failure, (A a), (a))
#define F2(type, name, failure, A, B)                                         \
    WRAPPED(type, name, failure, (A a, B b), (a, b))
#define F3(type, name, failure, A, B, C)                                      \
    WRAPPED(type, name, failure, (A a, B b, C c), (a, b, c))
#define F4(type, name, failure, A, B, C, D)                                   \
    WRAPPED(type, name, failure, (A a, B b, C c, D d), (a, b, c, d))
#define F5(type, name, failure, A, B, C, D, E)                                \
    WRAPPED(type, name, failure, (A a, B b, C c, D d, E e), (a, b, c, d, e))
#define F6(type, name, failure, A, B, C, D, E, F)                             \
    WRAPPED(type, name, failure, (A a, B b, C c, D d, E e, F f),              \
            (a, b, c, d, e, f))
#define F7(type, name, failure, A, B, C, D, E, F, G)                          \
    WRAPPED(type, name, failure, (A a, B b, C c, D d, E e, F f, G g),         \
            (a, b, c, d, e, f, g))
#define F8(type, name, failure, A, B, C, D, E, F, G, H)                       \
    WRAPPED(type, name, failure, (A a, B b, C c, D d, E e, F f, G g, H h),    \
            (a, b, c, d, e, f, g, h))
#define F10(type, name, failure, A, B, C, D, E, F, G, H, I, J)                \
    WRAPPED(type, name, failure,                                              \
            (A a, B b, C c, D d, E e, F f, G g, H h, I i, J j),               \
            (a, b, c, d, e, f, g, h, i, j))

/* What is not libcrypto's leaves no reason. */
#define QUIET7(type, name, failure, A, B, C, D, E, F, G)                      \
    REPLACED(type, name, failure, (A a, B b, C c, D d, E e, F f, G g),        \
             (a, b, c, d, e, f, g), fails)

/* What has failed once goes on failing until the end of its frame. */
#define LASTING(type, name, failure, A)                                       \
    type __real_##name(A a);                                                  \
    type __wrap_##name(A a);                                                  \
    type __wrap_##name(A a)                                                   \
    {                                                                         \
        is_spent = fails_aloud() || is_spent;                                 \
        return is_spent ? (failure) : __real_##name(a);                       \
    }
#define FRAME_END(type, name, A)                                              \
    type __real_##name(A a);                                                  \
    type __wrap_##name(A a);                                                  \
    type __wrap_##name(A a)                                                   \
    {                                                                         \
        is_spent = false;                                                     \
        __real_##name(a);                                                     \
    }

typedef unsigned char byte;
typedef EVP_MD_CTX *md_ctx;
typedef EVP_PKEY_CTX *key_ctx;
typedef EVP_CIPHER_CTX *cipher_ctx;
typedef BIGNUM *number;
typedef const BIGNUM *numeral;
typedef const EVP_MD *digest;
typedef const EVP_CIPHER *cipher;

/* clang-format off: a line each, for the Makefile */

F1(int, SHA256_Init, 0, SHA256_CTX *)
F1(int, SHA384_Init, 0, SHA512_CTX *)
F1(int, SHA512_Init, 0, SHA512_CTX *)
F3(int, SHA512_Update, 0, SHA512_CTX *, const void *, size_t)
F2(int, SHA512_Final, 0, byte *, SHA512_CTX *)

F3(EVP_MD *, EVP_MD_fetch, NULL, OSSL_LIB_CTX *, const char *, const char *)
F0(md_ctx, EVP_MD_CTX_new, NULL)
F1(int, EVP_MD_CTX_reset, 0, md_ctx)
F2(int, EVP_MD_CTX_copy_ex, 0, md_ctx, const EVP_MD_CTX *)
F3(int, EVP_DigestInit_ex, 0, md_ctx, digest, ENGINE *)
F3(int, EVP_DigestInit_ex2, 0, md_ctx, digest, const OSSL_PARAM *)
F3(int, EVP_DigestUpdate, 0, md_ctx, const void *, size_t)
F3(int, EVP_DigestFinal_ex, 0, md_ctx, byte *, unsigned *)
F6(int, EVP_Digest, 0, const void *, size_t, byte *, unsigned *, digest,
   ENGINE *)
F7(byte *, HMAC, NULL, digest, const void *, int, const byte *, size_t,
   byte *, unsigned *)

F0(cipher_ctx, EVP_CIPHER_CTX_new, NULL)
F6(int, EVP_CipherInit_ex, 0, cipher_ctx, cipher, ENGINE *, const byte *,
   const byte *, int)
F5(int, EVP_CipherUpdate, 0, cipher_ctx, byte *, int *, const byte *, int)
F3(int, EVP_CipherFinal_ex, 0, cipher_ctx, byte *, int *)
F4(int, EVP_CIPHER_CTX_ctrl, 0, cipher_ctx, int, int, void *)
F5(int, EVP_EncryptInit_ex, 0, cipher_ctx, cipher, ENGINE *, const byte *,
   const byte *)
F5(int, EVP_EncryptUpdate, 0, cipher_ctx, byte *, int *, const byte *, int)
F2(int, RAND_bytes, 0, byte *, int)

F10(int, EVP_PBE_scrypt, 0, const char *, size_t, const byte *, size_t,
    uint64_t, uint64_t, uint64_t, uint64_t, byte *, size_t)
QUIET7(bool, fb_sodium_scrypt, false, span, span, uint64_t, uint32_t, uint32_t, byte *, size_t)
F8(int, PKCS5_PBKDF2_HMAC, 0, const char *, int, const byte *, int, int,
   digest, int, byte *)
F3(EVP_KDF *, EVP_KDF_fetch, NULL, OSSL_LIB_CTX *, const char *, const char *)
F1(EVP_KDF_CTX *, EVP_KDF_CTX_new, NULL, EVP_KDF *)
F4(int, EVP_KDF_derive, 0, EVP_KDF_CTX *, byte *, size_t, const OSSL_PARAM *)

F2(key_ctx, EVP_PKEY_CTX_new, NULL, EVP_PKEY *, ENGINE *)
F3(key_ctx, EVP_PKEY_CTX_new_from_pkey, NULL, OSSL_LIB_CTX *, EVP_PKEY *,
   const char *)
F3(key_ctx, EVP_PKEY_CTX_new_from_name, NULL, OSSL_LIB_CTX *, const char *,
   const char *)
F1(int, EVP_PKEY_fromdata_init, 0, key_ctx)
F4(int, EVP_PKEY_fromdata, 0, key_ctx, EVP_PKEY **, int, OSSL_PARAM *)
F1(int, EVP_PKEY_up_ref, 0, EVP_PKEY *)
F2(int, EVP_PKEY_get_params, 0, const EVP_PKEY *, OSSL_PARAM *)
F2(int, EVP_PKEY_CTX_set_params, 0, key_ctx, const OSSL_PARAM *)
F1(int, EVP_PKEY_public_check, 0, key_ctx)
F1(int, EVP_PKEY_private_check, 0, key_ctx)
F1(int, EVP_PKEY_pairwise_check, 0, key_ctx)
F1(int, EVP_PKEY_encrypt_init, 0, key_ctx)
F1(int, EVP_PKEY_decrypt_init, 0, key_ctx)
F2(int, EVP_PKEY_CTX_set_rsa_padding, 0, key_ctx, int)
F2(int, EVP_PKEY_CTX_set_rsa_pss_saltlen, 0, key_ctx, int)
F2(int, EVP_PKEY_CTX_set_rsa_mgf1_md, 0, key_ctx, digest)
F2(int, EVP_PKEY_CTX_set_rsa_oaep_md, 0, key_ctx, digest)
F5(int, EVP_DigestSignInit, 0, md_ctx, key_ctx *, digest, ENGINE *, EVP_PKEY *)
F5(int, EVP_DigestVerifyInit, 0, md_ctx, key_ctx *, digest, ENGINE *,
   EVP_PKEY *)
F7(int, EVP_DigestSignInit_ex, 0, md_ctx, key_ctx *, const char *,
   OSSL_LIB_CTX *, const char *, EVP_PKEY *, const OSSL_PARAM *)
F7(int, EVP_DigestVerifyInit_ex, 0, md_ctx, key_ctx *, const char *,
   OSSL_LIB_CTX *, const char *, EVP_PKEY *, const OSSL_PARAM *)
F5(int, EVP_DigestSign, 0, md_ctx, byte *, size_t *, const byte *, size_t)
F5(int, EVP_DigestVerify, 0, md_ctx, const byte *, size_t, const byte *,
   size_t)

F0(OSSL_PARAM_BLD *, OSSL_PARAM_BLD_new, NULL)
F1(OSSL_PARAM *, OSSL_PARAM_BLD_to_param, NULL, OSSL_PARAM_BLD *)
F3(int, OSSL_PARAM_BLD_push_BN, 0, OSSL_PARAM_BLD *, const char *, numeral)
F4(int, OSSL_PARAM_BLD_push_utf8_string, 0, OSSL_PARAM_BLD *, const char *,
   const char *, size_t)
F4(int, OSSL_PARAM_BLD_push_octet_string, 0, OSSL_PARAM_BLD *, const char *,
   const void *, size_t)
F2(int, OSSL_PARAM_get_BN, 0, const OSSL_PARAM *, number *)

F0(BN_CTX *, BN_CTX_new, NULL)
LASTING(number, BN_CTX_get, NULL, BN_CTX *)
FRAME_END(void, BN_CTX_end, BN_CTX *)
F0(number, BN_secure_new, NULL)
F3(number, BN_bin2bn, NULL, const byte *, int, number)
F3(int, BN_bn2binpad, -1, numeral, byte *, int)
F3(number, BN_lebin2bn, NULL, const byte *, int, number)
F2(int, BN_hex2bn, 0, number *, const char *)
F2(number, BN_copy, NULL, number, numeral)
F2(int, BN_add_word, 0, number, BN_ULONG)
F2(int, BN_sub_word, 0, number, BN_ULONG)
F4(int, BN_mul, 0, number, numeral, numeral, BN_CTX *)
F4(int, BN_nnmod, 0, number, numeral, numeral, BN_CTX *)
F4(int, BN_mod_sqr, 0, number, numeral, numeral, BN_CTX *)
F5(int, BN_mod_mul, 0, number, numeral, numeral, numeral, BN_CTX *)
F5(int, BN_mod_sub, 0, number, numeral, numeral, numeral, BN_CTX *)
F3(int, BN_kronecker, -2, numeral, numeral, BN_CTX *)

/* clang-format on */

#endif
