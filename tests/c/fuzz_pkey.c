/*
 * A key as DER and as PEM: what is accepted signs, verifies and comes back from
 * PEM as the same key; what is refused leaves nothing, and no error queued.
 */
#include "fuzz.h"
#include "jose/jose.h"

#include <openssl/bio.h>
#include <openssl/err.h>

#define INPUT_MAX 4096
#define SLOW_BITS 4096 /* beyond which a signature takes long */

static void
check_signatures(const pkey *key, bool is_private)
{
    const span message = {"message", 7};
    unsigned char *signature = exact_room(key->signature);
    MUST(key->signature > 0 && key->signature <= SIGNATURE_MAX);
    memset(signature, 0, key->signature);
    MUST(fb_pkey_verify(key, message, signature) != STATUS_OK);
    if (!is_private) {
        MUST(fb_pkey_sign(key, message, signature) != STATUS_OK);
    } else if (EVP_PKEY_get_bits(key->evp) <= SLOW_BITS) {
        MUST(fb_pkey_sign(key, message, signature) == STATUS_OK);
        MUST(fb_pkey_verify(key, message, signature) == STATUS_OK);
        signature[key->signature / 2] ^= 1;
        MUST(fb_pkey_verify(key, message, signature) != STATUS_OK);
    }
    free(signature);
}

/* Each of the family is another algorithm, and what verifies it. */
static void
check_family(pkey *key)
{
    const alg *with;
    MUST(fb_pkey_for(key, key->alg) == key);
    if (fb_pkey_open(key, all_digests()) != STATUS_OK) {
        return; /* RFC 4055 1.2: a key may be for one digest alone */
    }
    for (size_t row = 0; (with = fb_alg_at(row)) != NULL; row++) {
        const pkey *one = fb_pkey_for(key, with);
        MUST(one == NULL || with->kind != KIND_HMAC);
        MUST(one == NULL || one == key || one->alg == with);
        if (one != NULL && one != key) {
            MUST(key->curve == NULL && one->signer == NULL);
            check_signatures(one, false);
        }
    }
}

static void
check_writing(EVP_PKEY *evp, bool is_private)
{
    EVP_PKEY *again = NULL, *public_half = NULL;
    BIO *pem = NULL;
    char *written = NULL;
    bool is_still_private = true;
    MUST(fb_pkey_to_pem(evp, is_private, &pem) == STATUS_OK);
    size_t len = (size_t)BIO_get_mem_data(pem, &written);
    char *copy = exact_copy(written, len);
    MUST(fb_pkey_from_pem((span){copy, len}, (span){"", 0}, &again)
         == STATUS_OK);
    MUST(EVP_PKEY_eq(evp, again) == 1);
    MUST(fb_pkey_public(evp, &public_half) == STATUS_OK);
    MUST(fb_pkey_is_private(public_half, &is_still_private) == STATUS_OK);
    MUST(!is_still_private);
    EVP_PKEY_free(public_half);
    EVP_PKEY_free(again);
    free(copy);
    BIO_free(pem);
}

/* Takes over the key. */
static void
use(EVP_PKEY *evp)
{
    pkey key;
    MUST(evp != NULL);
    if (fb_pkey_make(&key, evp, NULL, all_digests()) == STATUS_OK) {
        bool is_private = false;
        MUST(fb_pkey_is_private(key.evp, &is_private) == STATUS_OK);
        MUST(key.alg != NULL);
        check_signatures(&key, is_private);
        check_writing(key.evp, is_private);
        check_family(&key);
        fb_pkey_clear(&key);
    }
}

/* What is tidy is tidy for good, and no longer than was said. */
static void
check_tidying(span text)
{
    char *once = exact_room(PEM_ROOM(text.len));
    size_t len = fb_pkey_tidy_pem(text, once);
    MUST(len <= PEM_ROOM(text.len));
    char *copy = exact_copy(once, len);
    char *twice = exact_room(PEM_ROOM(len));
    MUST(fb_pkey_tidy_pem((span){copy, len}, twice) == len);
    MUST(len == 0 || memcmp(copy, twice, len) == 0);
    free(twice);
    free(copy);
    free(once);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > INPUT_MAX) {
        return 0;
    }
    char *copy = exact_copy(data, size);
    const span text = {copy, size}, none = {"", 0};
    EVP_PKEY *evp = NULL;
    check_tidying(text);
    if (fb_pkey_from_der(text, none, &evp) == STATUS_OK) {
        use(evp);
    } else {
        MUST(evp == NULL);
    }
    MUST(ERR_peek_error() == 0);
    evp = NULL;
    if (fb_pkey_from_pem(text, none, &evp) == STATUS_OK) {
        use(evp);
    } else {
        MUST(evp == NULL);
    }
    MUST(ERR_peek_error() == 0);
    free(copy);
    return 0;
}
