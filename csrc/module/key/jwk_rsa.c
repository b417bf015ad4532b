/* RSA keys of JWKs (RFC 7518 6.3). */
#include "skin.h"

#include "key/jwk.h"

/* The numbers of an RSA key, in the order of rsa_parts. */
enum { RSA_N, RSA_E, RSA_D, RSA_P, RSA_PARTS = 8 };

static const char *const rsa_names[RSA_PARTS] = {"n", "e",  "d",  "p",
                                                 "q", "dp", "dq", "qi"};

/* RFC 7518 6.3.2: all of p, q, dp, dq and qi, or none. */
CHECKED static status
check_rsa_shape(jwk *from, const jwk_bytes *parts)
{
    bool has_factors = false;
    for (int i = RSA_P; i < RSA_PARTS; i++) {
        has_factors = has_factors || parts[i].len > 0;
    }
    for (int i = 0; i < RSA_PARTS; i++) {
        bool is_needed = i <= RSA_E || has_factors;
        if (is_needed && parts[i].len == 0) {
            from->at = rsa_names[i];
            return STATUS_JWK_MEMBER;
        }
    }
    return STATUS_OK;
}

/* Before any work with them: no number but e is as long as n is allowed to
 * be, and longer than n. */
CHECKED static status
check_rsa_sizes(jwk *from, const jwk_bytes *parts)
{
    if (parts[RSA_N].len < KEY_RSA_BITS_MIN / 8
        || parts[RSA_N].len > KEY_RSA_BITS_MAX / 8) {
        return STATUS_KEY_RSA_SIZE;
    }
    if (parts[RSA_E].len > KEY_RSA_E_BITS_MAX / 8) {
        return STATUS_KEY_RSA_EXPONENT;
    }
    for (int i = RSA_D; i < RSA_PARTS; i++) {
        if (parts[i].len > parts[RSA_N].len) {
            from->at = rsa_names[i];
            return STATUS_KEY_PAIR;
        }
    }
    return STATUS_OK;
}

/* RFC 7518 6.3.2.7: keys of more than two primes are not taken. */
CHECKED static status
check_oth(jwk *from)
{
    PyObject *oth;
    status result = fb_jwk_member(from, "oth", &oth);
    return oth != NULL ? STATUS_JWK_MEMBER : result;
}

CHECKED static status
read_rsa(jwk *from, jwk_bytes *parts)
{
    status result = check_oth(from);
    for (int i = 0; i < RSA_PARTS && result == STATUS_OK; i++) {
        result = fb_jwk_number(from, rsa_names[i], 0, &parts[i]);
    }
    if (result == STATUS_OK) {
        result = check_rsa_shape(from, parts);
    }
    return result == STATUS_OK ? check_rsa_sizes(from, parts) : result;
}

CHECKED static status
make_rsa(const jwk_bytes *parts, EVP_PKEY **evp)
{
    span all[RSA_PARTS];
    for (int i = 0; i < RSA_PARTS; i++) {
        all[i] = fb_jwk_part_span(&parts[i]);
    }
    return fb_pkey_from_rsa(&(rsa_parts){all[0], all[1], all[2], all[3],
                                         all[4], all[5], all[6], all[7]},
                            evp);
}

status
fb_jwk_rsa(jwk *from, EVP_PKEY **evp, bool *is_private)
{
    jwk_bytes parts[RSA_PARTS] = {{0}};
    status result = read_rsa(from, parts);
    if (result == STATUS_OK) {
        Py_BEGIN_ALLOW_THREADS;
        result = make_rsa(parts, evp);
        Py_END_ALLOW_THREADS;
    }
    *is_private = parts[RSA_D].len > 0;
    for (int i = 0; i < RSA_PARTS; i++) {
        fb_jwk_part_clear(&parts[i]);
    }
    return result;
}
