/* Asymmetric signatures from prepared contexts. */
#include "jose/jose.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#define RSA_ALGS 5 /* besides the one that a key has */

/* --- preparing ----------------------------------------------------------- */

/* An algorithm may name its one curve. */
static bool
is_on(const alg *with, const curve *on)
{
    return with->kind == on->kind
           && (with->curve == NULL || strcmp(with->curve, on->name) == 0);
}

static bool
suits(const pkey *key)
{
    const curve *on = key->curve;
    const alg *with = key->alg;
    int id = EVP_PKEY_get_base_id(key->evp);
    if (on == NULL) {
        return with->kind == KIND_PSS
                   ? id == EVP_PKEY_RSA || id == EVP_PKEY_RSA_PSS
                   : with->kind == KIND_RSA && id == EVP_PKEY_RSA;
    }
    return is_on(with, on);
}

/* RFC 7518 3.5: salt as long as the hash, and MGF1 with the same hash. */
static bool
set_pss(EVP_PKEY_CTX *ctx, const EVP_MD *md)
{
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0
           && EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0
           && EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) > 0;
}

/* RFC 6979, where libcrypto has it: before 3.2 it takes the parameter, says
 * succeeds, and stays random. */
static bool
set_deterministic(EVP_PKEY_CTX *ctx)
{
    unsigned type = 1;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_uint("nonce-type", &type),
        OSSL_PARAM_construct_end(),
    };
    return OpenSSL_version_num() < 0x30200000L
           || EVP_PKEY_CTX_set_params(ctx, params) > 0;
}

typedef int initialiser(EVP_MD_CTX *, EVP_PKEY_CTX **, const EVP_MD *,
                        ENGINE *, EVP_PKEY *);

static EVP_MD_CTX *
prepare(const pkey *key, const EVP_MD *md, initialiser *init)
{
    EVP_PKEY_CTX *ctx = NULL;
    EVP_MD_CTX *made = EVP_MD_CTX_new();
    bool is_signer = init == EVP_DigestSignInit;
    bool ok =
        made != NULL
        && init(made, &ctx, key->alg->kind == KIND_ED ? NULL : md, NULL,
                key->evp)
               > 0
        && (key->alg->kind != KIND_PSS || set_pss(ctx, md))
        && (key->alg->kind != KIND_EC || !is_signer || set_deterministic(ctx));
    if (!ok) {
        EVP_MD_CTX_free(made);
        made = NULL;
    }
    return made;
}

static const alg *
suggestion(EVP_PKEY *evp, const curve *on)
{
    const char *name = on != NULL ? on->alg
                       : EVP_PKEY_get_base_id(evp) == EVP_PKEY_RSA_PSS
                           ? "PS256"
                           : "RS256";
    return fb_alg_find(name, strlen(name));
}

/* For libsodium, where it verifies with this key. */
CHECKED static status
prepare_point(pkey *key, const digests *all)
{
    size_t len;
    key->by_sodium = all->by_sodium && key->curve != NULL
                     && EVP_PKEY_get_base_id(key->evp) == EVP_PKEY_ED25519;
    return key->by_sodium ? fb_pkey_raw(key->evp, false, key->point, &len)
                          : STATUS_OK;
}

/* The contexts of a checked key, for an algorithm that may not suit it. */
CHECKED static status
prepare_all(pkey *key, bool is_private, const digests *all)
{
    const EVP_MD *md = all->md[key->alg->digest];
    /* RFC 4055 1.2: such a key may name the one digest that it takes. */
    bool may_be_restricted =
        EVP_PKEY_get_base_id(key->evp) == EVP_PKEY_RSA_PSS;
    if (!suits(key)) {
        return STATUS_KEY_UNSUITED;
    }
    key->signature = key->curve == NULL ? (size_t)EVP_PKEY_get_size(key->evp)
                                        : key->curve->signature;
    key->verifier = prepare(key, md, EVP_DigestVerifyInit);
    if (is_private) {
        key->signer = prepare(key, md, EVP_DigestSignInit);
    }
    return key->verifier != NULL && (key->signer != NULL || !is_private)
               ? STATUS_OK
               : fb_failure_of(may_be_restricted ? STATUS_KEY_UNSUITED
                                                 : STATUS_CRYPTO_FAILED);
}

status
fb_pkey_make(pkey *key, EVP_PKEY *evp, const alg *with, const digests *all)
{
    bool is_private = false;
    *key = (pkey){.evp = evp};
    fb_failure_forget();
    /* Short of memory, libcrypto may have read it in its older way, in which
     * not all can be asked of a key. */
    status result = EVP_PKEY_get0_provider(evp) == NULL
                        ? STATUS_CRYPTO_FAILED
                        : fb_pkey_is_private(evp, &is_private);
    if (result == STATUS_OK) {
        result = fb_pkey_curve(evp, &key->curve);
    }
    if (result == STATUS_OK) {
        result = fb_pkey_check(evp, key->curve, is_private);
    }
    if (result == STATUS_OK) {
        key->alg = with != NULL ? with : suggestion(evp, key->curve);
        result = prepare_all(key, is_private, all);
    }
    if (result == STATUS_OK) {
        result = prepare_point(key, all);
    }
    if (result == STATUS_OK) {
        result = fb_pkey_work(evp, key->curve, &key->work);
    }
    if (result != STATUS_OK) {
        fb_pkey_clear(key);
    }
    return result;
}

/* The checked key again, for another algorithm. */
CHECKED static status
turn(const pkey *key, const alg *with, const digests *all, pkey *out)
{
    *out = (pkey){.evp = key->evp, .alg = with};
    if (!EVP_PKEY_up_ref(key->evp)) {
        *out = (pkey){0};
        return fb_failure_of(STATUS_CRYPTO_FAILED);
    }
    return prepare_all(out, false, all);
}

status
fb_pkey_open(pkey *key, const digests *all)
{
    status result = STATUS_OK;
    const alg *with;
    if (key->curve != NULL) {
        return STATUS_OK;
    }
    fb_failure_forget();
    key->family = OPENSSL_zalloc(RSA_ALGS * sizeof *key->family);
    if (key->family == NULL) {
        return STATUS_NO_MEMORY;
    }
    for (size_t row = 0;
         result == STATUS_OK && (with = fb_alg_at(row)) != NULL; row++) {
        bool is_rsa = with->kind == KIND_RSA || with->kind == KIND_PSS;
        if (is_rsa && with != key->alg && key->family_len < RSA_ALGS) {
            result = turn(key, with, all, &key->family[key->family_len++]);
        }
    }
    return result;
}

const pkey *
fb_pkey_for(const pkey *key, const alg *with)
{
    bool is_edwards = key->alg->kind == KIND_ED;
    if (key->alg == with || (is_edwards && is_on(with, key->curve))) {
        return key;
    }
    for (size_t i = 0; i < key->family_len; i++) {
        if (key->family[i].alg == with) {
            return &key->family[i];
        }
    }
    return NULL;
}

void
fb_pkey_clear(pkey *key)
{
    for (size_t i = 0; i < key->family_len; i++) {
        fb_pkey_clear(&key->family[i]);
    }
    OPENSSL_free(key->family);
    EVP_MD_CTX_free(key->verifier);
    EVP_MD_CTX_free(key->signer);
    EVP_PKEY_free(key->evp);
    *key = (pkey){0};
}

/* --- using --------------------------------------------------------------- */

/* A copy of what was prepared, for one use: libcrypto would make another to
 * finish with, and not say when it lacks the memory for that. */
static bool
begin(EVP_MD_CTX *ctx, const EVP_MD_CTX *prepared)
{
    bool ok = ctx != NULL && EVP_MD_CTX_copy_ex(ctx, prepared);
    if (ok) {
        EVP_MD_CTX_set_flags(ctx, EVP_MD_CTX_FLAG_FINALISE);
    }
    return ok;
}

/* Whether libcrypto says what is wrong with the signature, of what it has left
 * in the thread's queue: RSA's own reason comes first there. */
static bool
is_verdict(void)
{
    unsigned long error = ERR_peek_error();
    return ERR_GET_LIB(error) == ERR_LIB_RSA && !ERR_COMMON_ERROR(error);
}

/* A wrong signature is a normal answer: it leaves no errors behind in the
 * thread's queue. *is_sure is false where it may be right all the same. */
CHECKED static status
verify_once(const pkey *key, span message, const unsigned char *signature,
            size_t len, bool *is_sure)
{
    fb_failure_forget();
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool is_ready = begin(ctx, key->verifier);
    bool matches =
        is_ready
        && EVP_DigestVerify(ctx, signature, len,
                            (const unsigned char *)message.p, message.len)
               == 1;
    EVP_MD_CTX_free(ctx);
    bool may_be_silent =
        key->alg->kind == KIND_ED || key->alg->kind == KIND_PSS;
    *is_sure = !may_be_silent || is_verdict();
    return matches ? STATUS_OK
                   : fb_failure_of(is_ready ? STATUS_SIGNATURE_WRONG
                                            : STATUS_CRYPTO_FAILED);
}

/* Of an Edwards or a PSS signature libcrypto may say that it is wrong, and not
 * why, where it only lacked the memory to look: it is asked again. */
CHECKED static status
verify(const pkey *key, span message, const unsigned char *signature,
       size_t len)
{
    bool is_sure;
    status result = verify_once(key, message, signature, len, &is_sure);
    return result == STATUS_SIGNATURE_WRONG && !is_sure
               ? verify_once(key, message, signature, len, &is_sure)
               : result;
}

/* libsodium refuses an R of small order, which libcrypto does not: such a
 * signature is libcrypto's. */
status
fb_pkey_verify(const pkey *key, span message, const unsigned char *signature)
{
    unsigned char der[ECDSA_DER_MAX];
    if (key->by_sodium && !fb_edwards_is_small(key->curve, signature)) {
        return fb_sodium_verify(key->point, message, signature)
                   ? STATUS_OK
                   : STATUS_SIGNATURE_WRONG;
    }
    if (key->alg->kind != KIND_EC) {
        return verify(key, message, signature, key->signature);
    }
    size_t len = fb_ecdsa_to_der(signature, key->signature, der);
    return len == 0 ? STATUS_SIGNATURE_WRONG : verify(key, message, der, len);
}

static bool
sign(const pkey *key, span message, unsigned char *signature, size_t *len)
{
    fb_failure_forget();
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = begin(ctx, key->signer)
              && EVP_DigestSign(ctx, signature, len,
                                (const unsigned char *)message.p, message.len)
                     > 0;
    EVP_MD_CTX_free(ctx);
    return ok;
}

status
fb_pkey_sign(const pkey *key, span message, unsigned char *signature)
{
    unsigned char der[ECDSA_DER_MAX];
    size_t len = sizeof der;
    bool ok;
    if (key->signer == NULL) {
        return STATUS_KEY_NOT_PRIVATE;
    }
    if (key->alg->kind == KIND_EC) {
        ok = sign(key, message, der, &len)
             && fb_ecdsa_from_der(der, len, signature, key->signature);
    } else {
        len = key->signature;
        ok = sign(key, message, signature, &len) && len == key->signature;
    }
    return ok ? STATUS_OK : fb_failure_of(STATUS_CRYPTO_FAILED);
}
