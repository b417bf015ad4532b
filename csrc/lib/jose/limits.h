/*
 * What key material may cost before it is believed: one table. A key may come
 * from a stranger (a JWK Set behind a URL, an uploaded certificate), who must
 * not be able to buy minutes of work with kilobytes of text.
 */
#ifndef FASTBEARER_LIMITS_H
#define FASTBEARER_LIMITS_H

/* --- texts --------------------------------------------------------------- */

#define KEY_TEXT_MAX 65536       /* bytes of a PEM, DER or JWK text */
#define KEY_SET_TEXT_MAX 1048576 /* bytes of a JWK Set */
#define KEY_PASSWORD_MAX 1024    /* bytes */
#define KEY_BLOCKS_MAX 16        /* of a PEM text, until one holds a key */

/* --- a JWK --------------------------------------------------------------- */

#define KEY_MEMBERS_MAX 64 /* of a JWK */
#define KEY_OPS_MAX 16     /* values of key_ops: RFC 7517 4.3 has eight */

/* --- RSA numbers (RFC 7518 3.3) ------------------------------------------ */

#define KEY_RSA_BITS_MIN 2048
#define KEY_RSA_BITS_MAX 16384
#define KEY_RSA_E_BITS_MAX 64 /* as libcrypto's own, above 3072 bits of n */
#define KEY_RSA_LONG_BITS 4096
#define KEY_RSA_LONG_E_BITS_MAX 33  /* with an n of more than those */
#define KEY_RSA_TRIED_BITS_MAX 4096 /* private, but without its primes */

/* --- opening an encrypted key (RFC 8018, RFC 7914) ----------------------- */

#define KEY_ITERATIONS_MAX 1048576 /* of PBKDF2, or an older derivation */
#define KEY_SCRYPT_MAX 1048576     /* N * r * p: 8 times openssl's own */

/* --- sets of keys -------------------------------------------------------- */

#define KEY_SET_MAX 256  /* entries of a JWK Set */
#define KEY_TRIES_MAX 16 /* keys tried for one token */
/* What those cost together, unless it is one: that many verifications of RSA
 * with 2048 bits and 65537, of some 20 microseconds each. */
#define KEY_WORK_MAX 128

#endif
