/*
 * Private keys on elliptic curves (SEC 1 C.4, RFC 5915 3). A template takes
 * them apart, in memory that is cleansed: libcrypto's own readers leave copies
 * of the text.
 */
#include "jose/jose.h"

#include <openssl/asn1t.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

typedef struct {
    int32_t version;
    ASN1_OCTET_STRING *number;
    ASN1_OBJECT *curve;
    ASN1_BIT_STRING *point;
} ec_key;

static int
wipe_number(int operation, ASN1_VALUE **value, const ASN1_ITEM *item,
            void *unused)
{
    (void)item;
    (void)unused;
    if (operation == ASN1_OP_FREE_PRE) {
        const ASN1_OCTET_STRING *number = ((ec_key *)*value)->number;
        if (number != NULL) {
            OPENSSL_cleanse((void *)ASN1_STRING_get0_data(number),
                            (size_t)ASN1_STRING_length(number));
        }
    }
    return 1;
}

/* clang-format off */
ASN1_SEQUENCE_cb(ec_key, wipe_number) = {
    ASN1_EMBED(ec_key, version, INT32),
    ASN1_SIMPLE(ec_key, number, ASN1_OCTET_STRING),
    ASN1_EXP_OPT(ec_key, curve, ASN1_OBJECT, 0),
    ASN1_EXP_OPT(ec_key, point, ASN1_BIT_STRING, 1),
} static_ASN1_SEQUENCE_END_cb(ec_key, ec_key)

static EC_GROUP *
group_of(const ASN1_OBJECT *name)
{
    return name == NULL ? NULL : EC_GROUP_new_by_curve_name(OBJ_obj2nid(name));
}
/* clang-format on */

/* A new text of the point: the number times the generator. */
static size_t
compute_point(const EC_GROUP *group, const BIGNUM *number, unsigned char **out)
{
    size_t len = 0;
    EC_POINT *point = EC_POINT_new(group);
    if (point != NULL
        && EC_POINT_mul(group, point, number, NULL, NULL, NULL) == 1) {
        len = EC_POINT_point2buf(group, point, POINT_CONVERSION_UNCOMPRESSED,
                                 out, NULL);
    }
    EC_POINT_clear_free(point);
    return len;
}

/* A new text of the point, as it is in the key, if it is there. */
static size_t
point_of(const ec_key *key, const EC_GROUP *group, const BIGNUM *number,
         unsigned char **out)
{
    if (key->point == NULL) {
        return compute_point(group, number, out);
    }
    size_t len = (size_t)ASN1_STRING_length(key->point);
    *out = OPENSSL_memdup(ASN1_STRING_get0_data(key->point), len);
    return *out == NULL ? 0 : len;
}

/* A key is written as it came: with its point, in that form, or without. */
static bool
push(OSSL_PARAM_BLD *build, const ec_key *key, const BIGNUM *number,
     unsigned char first)
{
    const char *form = first < 4    ? "compressed"
                       : first == 4 ? "uncompressed"
                                    : "hybrid"; /* SEC 1 2.3.3, X9.62 4.3.6 */
    return OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, number)
           && OSSL_PARAM_BLD_push_int(build, OSSL_PKEY_PARAM_EC_INCLUDE_PUBLIC,
                                      key->point != NULL)
           && OSSL_PARAM_BLD_push_utf8_string(
               build, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, form, 0);
}

/* The point at infinity can be written, and belongs to nobody. */
CHECKED static status
refusal_of_infinity(int name)
{
    const char *group = OBJ_nid2sn(name);
    return fb_alg_find_curve(group, strlen(group)) == NULL ? STATUS_KEY_CURVE
                                                           : STATUS_KEY_POINT;
}

CHECKED static status
join(const ec_key *key, const EC_GROUP *group, EVP_PKEY **out)
{
    int name = EC_GROUP_get_curve_name(group);
    unsigned char *point = NULL;
    size_t len = 0;
    status result = STATUS_KEY_UNREADABLE;
    BIGNUM *number = BN_secure_new();
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    if (number != NULL && build != NULL
        && BN_bin2bn(ASN1_STRING_get0_data(key->number),
                     ASN1_STRING_length(key->number), number)
               != NULL) {
        len = point_of(key, group, number, &point);
    }
    if (len == 1 && point[0] == 0) {
        result = refusal_of_infinity(name);
    } else if (len > 0 && push(build, key, number, point[0])) {
        EVP_PKEY *public_half =
            fb_pkey_public_of(EVP_PKEY_EC, V_ASN1_OBJECT, OBJ_nid2obj(name),
                              (span){(const char *)point, len});
        result = fb_pkey_join(public_half, build, out);
        EVP_PKEY_free(public_half);
    }
    OPENSSL_free(point);
    OSSL_PARAM_BLD_free(build);
    BN_clear_free(number);
    return result;
}

/* The curve within the key counts. That beside it in PKCS#8 has to be one, and
 * not SM2's, which libcrypto takes for another kind of key. */
static EC_GROUP *
curve_of(const ec_key *key, const X509_ALGOR *algorithm)
{
    int form = V_ASN1_UNDEF;
    const void *beside = NULL;
    if (algorithm == NULL) {
        return group_of(key->curve);
    }
    X509_ALGOR_get0(NULL, &form, &beside, algorithm);
    EC_GROUP *group = group_of(form == V_ASN1_OBJECT ? beside : NULL);
    if (group == NULL || key->curve == NULL) {
        return group;
    }
    bool is_other_kind = EC_GROUP_get_curve_name(group) == NID_sm2
                         && OBJ_obj2nid(key->curve) != NID_sm2;
    EC_GROUP_free(group);
    return is_other_kind ? NULL : group_of(key->curve);
}

status
fb_pkey_from_ec_private(const X509_ALGOR *algorithm, const unsigned char **p,
                        long len, EVP_PKEY **out)
{
    ec_key *key =
        (ec_key *)ASN1_item_d2i(NULL, p, len, ASN1_ITEM_rptr(ec_key));
    EC_GROUP *group = key == NULL ? NULL : curve_of(key, algorithm);
    *out = NULL;
    status result =
        group == NULL ? STATUS_KEY_UNREADABLE : join(key, group, out);
    EC_GROUP_free(group);
    ASN1_item_free((ASN1_VALUE *)key, ASN1_ITEM_rptr(ec_key));
    return result;
}
