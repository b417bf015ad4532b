/*
 * The room of JOSE: algorithms, keys, signatures and the compact form. It may
 * use crypto and base.
 */
#ifndef FASTBEARER_JOSE_H
#define FASTBEARER_JOSE_H

#include "crypto/crypto.h"
#include "jose/limits.h"

/* --- alg.c: the algorithms and curves ------------------------------------ */

typedef enum { KIND_HMAC, KIND_RSA, KIND_PSS, KIND_EC, KIND_ED } alg_kind;

typedef struct {
    const char *name;  /* "crv": RFC 7518 6.2.1.1, RFC 8037 2, RFC 8812 3.1 */
    const char *group; /* libcrypto's name */
    const char *alg;   /* what a key on it signs with unless told otherwise */
    alg_kind kind;
    size_t bytes;     /* of a coordinate, or of an Edwards key */
    size_t signature; /* bytes */
    unsigned work;    /* of a verification, as in KEY_WORK_MAX */
} curve;

typedef struct {
    const char *name; /* as in the header: RFC 7518 3.1, 8037, 8812, 9864 */
    digest_id digest; /* unused for KIND_ED */
    alg_kind kind;
    size_t signature;  /* bytes; 0 where the key says how many */
    const char *curve; /* the one curve, or NULL */
} alg;

#define SIGNATURE_MAX 2048 /* bytes: RSA of 16384 bits */

/* The row of that name, or NULL. */
const alg *fb_alg_find(const char *name, size_t len);
const curve *fb_alg_find_curve(const char *name, size_t len);

/* A row, or NULL after the last. */
const alg *fb_alg_at(size_t row);

/* Several algorithms: a bit for each row. */
typedef uint32_t alg_set;
#define ALG_SET_ALL (~(alg_set)0)
alg_set fb_alg_bit(const alg *one);
/* Most sets have all: those are not looked into. */
#define ALG_IS_OF(one, set)                                                   \
    ((set) == ALG_SET_ALL || ((set)&fb_alg_bit(one)) != 0)

/* --- pkey_read.c: asymmetric keys from text, and new ones ---------------- */

/*
 * Each gives a new EVP_PKEY, not checked yet. A PEM text's first key or
 * certificate is taken; of a certificate its key only, not its dates or chain.
 * password may be empty. No private number is left in memory that is given
 * back, whether it is a key or is refused.
 */
CHECKED status fb_pkey_from_pem(span text, span password, EVP_PKEY **out);
CHECKED status fb_pkey_from_der(span bytes, span password, EVP_PKEY **out);

CHECKED status fb_pkey_generate(const alg *algorithm, EVP_PKEY **out);

/* --- pkey_parts.c: from parts -------------------------------------------- */

/* Each gives a new EVP_PKEY, not checked yet. */

/* Big-endian numbers; an empty span for a part that is not there. */
typedef struct {
    span n, e, d, p, q, dp, dq, qi;
} rsa_parts;
CHECKED status fb_pkey_from_rsa(const rsa_parts *parts, EVP_PKEY **out);

/* Coordinates and private number of exactly the curve's length; y is not
 * used, and d may be empty. */
CHECKED status fb_pkey_from_curve(const curve *on, span x, span y, span d,
                                  EVP_PKEY **out);

/* What SubjectPublicKeyInfo would say (RFC 5280 4.1.2.7): a type; its
 * parameter, a sequence or one of libcrypto's objects, or NULL for a form that
 * has no value; and bytes. NULL if libcrypto takes it for no key. */
EVP_PKEY *fb_pkey_public_of(int type, int form, const void *parameter,
                            span bytes);

/* A public half, or NULL, and its private numbers, which are secure ones;
 * STATUS_KEY_UNREADABLE if libcrypto takes them for no key. */
CHECKED status fb_pkey_join(EVP_PKEY *public_half,
                            OSSL_PARAM_BLD *private_half, EVP_PKEY **out);

/* --- pkey_armour.c ------------------------------------------------------- */

/*
 * The next block of a PEM text (RFC 7468), after which *rest begins; false if
 * there is none. Blocks may stand in one line, indented, between quotes, and
 * with any line ends, also written as \n. Linear.
 */
bool fb_pkey_block_next(span *rest, span *label, span *body);

/* The bytes of a body, in a room of twice its length, or false. libcrypto's
 * own decoder leaves the text in memory. */
bool fb_pkey_block_decode(span body, char *room, span *bytes);

/* --- pkey_pkcs1.c, pkey_sec1.c ------------------------------------------- */

/*
 * Each gives a new key, or NULL with STATUS_KEY_UNREADABLE, STATUS_KEY_PAIR
 * for an RSA number longer than n that libcrypto does not take, or
 * STATUS_KEY_POINT for the point at infinity; it moves *p after what it has
 * read. The algorithm is that of PKCS#8, or NULL for a key that stands alone.
 */
typedef CHECKED status private_reader(const X509_ALGOR *algorithm,
                                      const unsigned char **p, long len,
                                      EVP_PKEY **out);
CHECKED status fb_pkey_from_rsa_private(const X509_ALGOR *algorithm,
                                        const unsigned char **p, long len,
                                        EVP_PKEY **out);
CHECKED status fb_pkey_from_ec_private(const X509_ALGOR *algorithm,
                                       const unsigned char **p, long len,
                                       EVP_PKEY **out);

CHECKED status fb_pkey_from_rsa_public(const unsigned char **p, long len,
                                       EVP_PKEY **out);

/* --- pkey_pkcs8.c -------------------------------------------------------- */

/* The same, or STATUS_KEY_CURVE where it holds the equation of a curve: of
 * PKCS#8; of an older form, in whose place PKCS#8 of any kind is taken too; of
 * encrypted PKCS#8 that is the whole of the bytes, unless to open it costs
 * more than limits.h allows. */
CHECKED status fb_pkey_from_pkcs8(const unsigned char **p, long len,
                                  EVP_PKEY **out);
CHECKED status fb_pkey_from_older(private_reader *read,
                                  const unsigned char **p, long len,
                                  EVP_PKEY **out);
CHECKED status fb_pkey_from_sealed(const unsigned char **p, long len,
                                   span password, EVP_PKEY **out);

/* STATUS_KEY_PASSWORD or STATUS_KEY_COSTLY for an encrypted key, or
 * STATUS_KEY_UNREADABLE. */
CHECKED status fb_pkey_why_unreadable(span bytes);

/* --- pkey_number.c ------------------------------------------------------- */

/* A new number of the key by libcrypto's name, or NULL if there is none.
 * STATUS_KEY_PAIR if it is longer than any of a key that is taken. */
CHECKED status fb_pkey_bignum(EVP_PKEY *evp, const char *name, BIGNUM **out);

/* Writes it big-endian, in `width` bytes or, for 0, as few as it needs; at
 * most SIGNATURE_MAX. *len is 0 if there is no such number. */
CHECKED status fb_pkey_number(EVP_PKEY *evp, const char *name, size_t width,
                              unsigned char *out, size_t *len);

#define EDWARDS_MAX 57 /* bytes: Ed448 */

/* The same for an Edwards key's public or private bytes. */
CHECKED status fb_pkey_raw(EVP_PKEY *evp, bool is_private, unsigned char *out,
                           size_t *len);

CHECKED status fb_pkey_is_private(EVP_PKEY *evp, bool *is_private);

/* --- pkey_write.c: and back ---------------------------------------------- */

/* A new text: SubjectPublicKeyInfo, or PKCS#8 without encryption. */
CHECKED status fb_pkey_to_pem(EVP_PKEY *evp, bool is_private, BIO **out);

/* A new key that has the public half only. */
CHECKED status fb_pkey_public(EVP_PKEY *evp, EVP_PKEY **out);

/* --- pkey_check.c: what libcrypto lets pass ------------------------------ */

/* Whether DER describes a curve by its equation, with which libcrypto would
 * compute while it reads. */
bool fb_pkey_has_equation(span bytes);

/* The curve of an EC or Edwards key that is named in curves; NULL for RSA. */
CHECKED status fb_pkey_curve(EVP_PKEY *evp, const curve **out);

/* RFC 7518 6.3, RFC 8725 3.4: sizes, points, and that the halves of a private
 * key belong together. */
CHECKED status fb_pkey_check(EVP_PKEY *evp, const curve *on, bool is_private);

/* --- pkey_work.c --------------------------------------------------------- */

/* About what a verification with a checked key costs, as in KEY_WORK_MAX. */
CHECKED status fb_pkey_work(EVP_PKEY *evp, const curve *on, unsigned *out);

/* --- edwards.c ----------------------------------------------------------- */

/* RFC 8032 5.1.3, 5.2.3: canonical, on the curve, and not of small order. */
bool fb_edwards_is_sound(const curve *on, const unsigned char *point);

/* Whether that is the canonical y of a point of order 1, 2, 4 or 8. */
bool fb_edwards_is_small(const curve *on, const unsigned char *point);

/* --- pkey.c: signatures -------------------------------------------------- */

typedef struct pkey {
    EVP_PKEY *evp;
    EVP_MD_CTX *verifier, *signer; /* prepared, copied for every use */
    const alg *alg;
    const curve *curve;  /* NULL for RSA */
    size_t signature;    /* bytes, exactly */
    unsigned work;       /* of a verification: see fb_pkey_work */
    struct pkey *family; /* see fb_pkey_open; owned */
    size_t family_len;
    bool by_sodium; /* an Ed25519 key that sodium.c verifies with */
    unsigned char point[EDWARDS_MAX];
} pkey;

/*
 * Takes over evp, also when it is refused. The key is checked (fb_pkey_check)
 * and prepared, and so is its signer if it is private. For NULL the algorithm
 * is what the key suggests: its curve's, PS256 for RSA-PSS or RS256; one that
 * does not suit the key is refused.
 */
CHECKED status fb_pkey_make(pkey *key, EVP_PKEY *evp, const alg *with,
                            const digests *all);
void fb_pkey_clear(pkey *key);

/* Lets a key verify, and not sign, with the other algorithms of its kind too:
 * RFC 7517 4.4 makes alg optional. Those on a curve have no others. */
CHECKED status fb_pkey_open(pkey *key, const digests *all);

/*
 * What of a key verifies signatures of that algorithm, or NULL: one of its
 * family, or itself, also where the name is the other one of its own. EdDSA
 * with an Ed25519 key is Ed25519 (RFC 9864 2.2, 4.1.2), likewise Ed448.
 */
const pkey *fb_pkey_for(const pkey *key, const alg *with);

/* signature has key->signature bytes. Any number of threads may share the
 * key. */
CHECKED status fb_pkey_verify(const pkey *key, span message,
                              const unsigned char *signature);
CHECKED status fb_pkey_sign(const pkey *key, span message,
                            unsigned char *signature);

/* --- ecdsa.c: r || s of RFC 7518 3.4 and libcrypto's DER ----------------- */

#define ECDSA_DER_MAX 141

/* Returns the length of the DER form, or 0 if r or s is zero. */
size_t fb_ecdsa_to_der(const unsigned char *raw, size_t len,
                       unsigned char *der);
bool fb_ecdsa_from_der(const unsigned char *der, size_t der_len,
                       unsigned char *raw, size_t len);

/* --- secret.c: what must not become an HMAC secret ----------------------- */

/*
 * RFC 7518 3.2 and RFC 8725 3.1: refuses an empty or blank secret, one shorter
 * than the algorithm's hash (unless allow_short), and asymmetric key material
 * in any of its usual clothes, also where the whole secret is its base64 or
 * its hexadecimal form. Linear.
 */
CHECKED status fb_secret_check(span secret, const alg *algorithm,
                               bool allow_short);

/* --- secret_der.c -------------------------------------------------------- */

/* Whether that is a DER key or certificate, with white space around it. */
bool fb_secret_is_der(span secret);

/* --- secret_cover.c ------------------------------------------------------ */

/* Writes the text without what a shell, JSON or a URL has put around it and
 * into it, and without white space and padding; returns its length. */
size_t fb_secret_bare(span secret, char *out);

/* The character at p, also where it is escaped for a URL (RFC 3986 2.1);
 * returns how many of the len characters, at least one, it is written in. */
size_t fb_secret_unescape(const char *p, size_t len, char *c);

/* What the whole of a bare text says in base64, of either alphabet, or in
 * hexadecimal, or false. text and bytes have its length. */
bool fb_secret_from_base64(span bare, char *text, unsigned char *bytes,
                           size_t *len);
bool fb_secret_from_hex(span bare, unsigned char *bytes, size_t *len);

/* --- compact.c: the three segments --------------------------------------- */

typedef struct {
    span header, payload, signature; /* base64url text */
    span signing_input;              /* header '.' payload, RFC 7515 5.1 */
} token;

/* With allow_padding, correct '=' padding is cut off the segments. */
CHECKED status fb_compact_split(span text, bool allow_padding, token *out);

#endif
