/*
 * A key as DER and as PEM: what is accepted signs, verifies and comes back from
 * PEM as the same key; what is refused leaves nothing, and no error queued. A
 * private key in DER is the one that libcrypto's own reader finds there.
 */
#include "fuzz.h"
#include "jose/jose.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/x509.h>

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

/* --- libcrypto's own reading --------------------------------------------- */

static EVP_PKEY *
second_pkcs8(const unsigned char **p, long len)
{
    const ASN1_OBJECT *kind = NULL;
    EVP_PKEY *evp = NULL;
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, p, len);
    if (info != NULL && PKCS8_pkey_get0(&kind, NULL, NULL, NULL, info)) {
        int type = OBJ_obj2nid(kind);
        if (type == EVP_PKEY_EC || type == EVP_PKEY_RSA
            || type == EVP_PKEY_RSA_PSS || type == EVP_PKEY_ED25519
            || type == EVP_PKEY_ED448) {
            evp = EVP_PKCS82PKEY(info);
        }
    }
    PKCS8_PRIV_KEY_INFO_free(info);
    return evp;
}

/* The private key that is the whole of the text, or NULL. */
static EVP_PKEY *
second_reading(span text)
{
    static const int types[] = {EVP_PKEY_NONE, EVP_PKEY_RSA, EVP_PKEY_EC};
    EVP_PKEY *evp = NULL;
    const unsigned char *start = (const unsigned char *)text.p;
    for (size_t i = 0; i < 3 && evp == NULL; i++) {
        const unsigned char *p = start;
        evp = i == 0 ? second_pkcs8(&p, (long)text.len)
                     : d2i_PrivateKey(types[i], NULL, &p, (long)text.len);
        if (p != start + text.len) {
            EVP_PKEY_free(evp);
            evp = NULL;
        }
    }
    ERR_clear_error();
    return evp;
}

static bool
is_same_number(EVP_PKEY *one, EVP_PKEY *other, const char *name)
{
    BIGNUM *a = NULL, *b = NULL;
    MUST(fb_pkey_bignum(one, name, &a) == STATUS_OK);
    MUST(fb_pkey_bignum(other, name, &b) == STATUS_OK);
    bool is_same = a != NULL && b != NULL && BN_cmp(a, b) == 0;
    BN_free(b);
    BN_free(a);
    return is_same;
}

static bool
is_same_private(const pkey *one, const pkey *other)
{
    unsigned char a[EDWARDS_MAX], b[EDWARDS_MAX];
    size_t a_len, b_len;
    if (one->curve == NULL) {
        return is_same_number(one->evp, other->evp, OSSL_PKEY_PARAM_RSA_D);
    }
    if (one->curve->kind == KIND_EC) {
        return is_same_number(one->evp, other->evp, OSSL_PKEY_PARAM_PRIV_KEY);
    }
    MUST(fb_pkey_raw(one->evp, true, a, &a_len) == STATUS_OK);
    MUST(fb_pkey_raw(other->evp, true, b, &b_len) == STATUS_OK);
    return a_len > 0 && a_len == b_len && memcmp(a, b, a_len) == 0;
}

/* Takes over what libcrypto has read: a key, or not, as the library has it,
 * which takes over nothing. */
static void
check_second(EVP_PKEY *second, EVP_PKEY *first)
{
    pkey one, other;
    if (second == NULL
        || fb_pkey_make(&other, second, NULL, all_digests()) != STATUS_OK) {
        return;
    }
    MUST(other.signer != NULL);
    MUST(first != NULL && EVP_PKEY_up_ref(first));
    MUST(fb_pkey_make(&one, first, NULL, all_digests()) == STATUS_OK);
    MUST(one.alg == other.alg && one.curve == other.curve);
    MUST(EVP_PKEY_eq(one.evp, other.evp) == 1);
    MUST(is_same_private(&one, &other));
    fb_pkey_clear(&one);
    fb_pkey_clear(&other);
}

/* And what the library takes for a private key, libcrypto does as well. */
static void
check_reading(span text, EVP_PKEY *first)
{
    bool is_private = false;
    EVP_PKEY *second = NULL;
    if (!fb_pkey_has_equation(text)) {
        second = second_reading(text);
    }
    bool is_known = first != NULL /* a number may be too long to be one */
                    && fb_pkey_is_private(first, &is_private) == STATUS_OK;
    MUST(second != NULL || !is_known || !is_private);
    check_second(second, first);
}

/* --- what becomes of it -------------------------------------------------- */

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

/* Blocks lie within the text, one after the other, and what they hold is found
 * again where it is written as it should be. */
static void
check_blocks(span text)
{
    span rest = text, label, body, bytes, again;
    while (fb_pkey_block_next(&rest, &label, &body)) {
        MUST(label.p > text.p && label.p + label.len < body.p);
        MUST(body.p + body.len < rest.p);
        MUST(rest.p + rest.len == text.p + text.len);
        char *room = exact_room(2 * body.len);
        if (fb_pkey_block_decode(body, room, &bytes)) {
            char *written = exact_room(4 * bytes.len + 4);
            char *room_again = exact_room(2 * (4 * bytes.len + 4));
            char *end = fb_text_encode((const unsigned char *)bytes.p,
                                       bytes.len, CODE_B64_PADDED, written);
            MUST(fb_pkey_block_decode((span){written, (size_t)(end - written)},
                                      room_again, &again));
            MUST(again.len == bytes.len);
            MUST(bytes.len == 0 || memcmp(again.p, bytes.p, bytes.len) == 0);
            free(room_again);
            free(written);
        }
        free(room);
    }
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
    check_blocks(text);
    bool is_read = fb_pkey_from_der(text, none, &evp) == STATUS_OK;
    MUST(is_read == (evp != NULL));
    MUST(ERR_peek_error() == 0);
    check_reading(text, evp);
    if (is_read) {
        use(evp);
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
