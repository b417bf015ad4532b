/*
 * An encrypted private key: what it costs to open is told before the work, and
 * as a second look at its parameters tells it. A cheap one is opened, and no
 * other: what opens is a key.
 */
#include "fuzz.h"
#include "jose/jose.h"

#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#define INPUT_MAX 4096
#define CHEAP 4096 /* rounds that are worked at here */

static const span password = {"password", 8}, none = {"", 0};

/* --- a second look ------------------------------------------------------- */

/* The number, or one more than is ever allowed. */
static uint64_t
number_of(const ASN1_INTEGER *from)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(from, NULL);
    uint64_t value = UINT32_MAX;
    if (number != NULL && !BN_is_negative(number)
        && BN_num_bits(number) < 32) {
        value = BN_get_word(number);
    }
    BN_free(number);
    return value;
}

static void *
sequence_of(const X509_ALGOR *of, const ASN1_ITEM *form)
{
    int type = V_ASN1_UNDEF;
    const void *value = NULL;
    X509_ALGOR_get0(NULL, &type, &value, of);
    if (type != V_ASN1_SEQUENCE) {
        return NULL;
    }
    const ASN1_STRING *text = value;
    const unsigned char *p = ASN1_STRING_get0_data(text);
    return ASN1_item_d2i(NULL, &p, ASN1_STRING_length(text), form);
}

/* N r p, of which one may be too much for all. */
static uint64_t
scrypt_work(const X509_ALGOR *of)
{
    SCRYPT_PARAMS *param = sequence_of(of, ASN1_ITEM_rptr(SCRYPT_PARAMS));
    uint64_t work = UINT64_MAX;
    if (param != NULL) {
        uint64_t n = number_of(param->costParameter);
        uint64_t r = number_of(param->blockSize);
        uint64_t p = number_of(param->parallelizationParameter);
        uint64_t most = KEY_SCRYPT_MAX;
        bool is_small = n <= most && r <= most && p <= most;
        work = is_small ? n * r * p : UINT64_MAX;
    }
    SCRYPT_PARAMS_free(param);
    return work;
}

static uint64_t
rounds_of(const X509_ALGOR *of)
{
    PBKDF2PARAM *param = sequence_of(of, ASN1_ITEM_rptr(PBKDF2PARAM));
    uint64_t rounds = param == NULL ? UINT64_MAX : number_of(param->iter);
    PBKDF2PARAM_free(param);
    return rounds;
}

static uint64_t
work_of(const X509_ALGOR *of)
{
    uint64_t work = UINT64_MAX;
    const ASN1_OBJECT *name;
    X509_ALGOR_get0(&name, NULL, NULL, of);
    if (OBJ_obj2nid(name) == NID_pbes2) {
        PBE2PARAM *param = sequence_of(of, ASN1_ITEM_rptr(PBE2PARAM));
        if (param != NULL) {
            X509_ALGOR_get0(&name, NULL, NULL, param->keyfunc);
            work = OBJ_obj2nid(name) == NID_id_scrypt
                       ? scrypt_work(param->keyfunc)
                       : rounds_of(param->keyfunc);
        }
        PBE2PARAM_free(param);
    } else {
        PBEPARAM *param = sequence_of(of, ASN1_ITEM_rptr(PBEPARAM));
        work = param == NULL ? UINT64_MAX : number_of(param->iter);
        PBEPARAM_free(param);
    }
    return work;
}

/* --- what the library makes of it ---------------------------------------- */

static void
open_it(span text)
{
    EVP_PKEY *evp = NULL;
    pkey key;
    status result = fb_pkey_from_der(text, password, &evp);
    MUST((result == STATUS_OK) == (evp != NULL));
    MUST(result == STATUS_OK || result == STATUS_KEY_PASSWORD
         || result == STATUS_KEY_UNREADABLE || result == STATUS_KEY_CURVE);
    if (evp != NULL
        && fb_pkey_make(&key, evp, NULL, all_digests()) == STATUS_OK) {
        MUST(key.signer != NULL);
        fb_pkey_clear(&key);
    }
}

static void
check_sealed(span text, const X509_SIG *sealed)
{
    const X509_ALGOR *algorithm;
    EVP_PKEY *evp = NULL;
    X509_SIG_get0(sealed, &algorithm, NULL);
    uint64_t work = work_of(algorithm);
    ERR_clear_error();
    bool is_allowed = work <= KEY_ITERATIONS_MAX; /* scrypt's is the same */
    MUST(fb_pkey_why_unreadable(text)
         == (is_allowed ? STATUS_KEY_PASSWORD : STATUS_KEY_COSTLY));
    if (fb_pkey_has_equation(text)) { /* of no key: it stands in a parameter */
        MUST(fb_pkey_from_der(text, password, &evp) == STATUS_KEY_CURVE);
        MUST(evp == NULL);
        return;
    }
    MUST(fb_pkey_from_der(text, none, &evp)
         == (is_allowed ? STATUS_KEY_PASSWORD : STATUS_KEY_COSTLY));
    MUST(evp == NULL);
    if (!is_allowed) { /* and no work is done */
        MUST(fb_pkey_from_der(text, password, &evp) == STATUS_KEY_COSTLY);
        MUST(evp == NULL);
    } else if (work <= CHEAP) {
        open_it(text);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > INPUT_MAX) {
        return 0;
    }
    const span text = {exact_copy(data, size), size};
    const unsigned char *p = (const unsigned char *)text.p;
    X509_SIG *sealed = d2i_X509_SIG(NULL, &p, (long)size);
    ERR_clear_error();
    if (sealed != NULL && p == (const unsigned char *)text.p + size) {
        check_sealed(text, sealed);
    } else {
        MUST(fb_pkey_why_unreadable(text) == STATUS_KEY_UNREADABLE);
    }
    MUST(ERR_peek_error() == 0);
    X509_SIG_free(sealed);
    span_free(text);
    return 0;
}
