/*
 * The lower storey: tokens and passwords in plain C over libcrypto and
 * libargon2. Nothing here includes Python.h or sets a Python exception; a
 * function that can be refused returns a status. The contracts stand in this
 * file, once, in reading order; a .c file says only why.
 *
 * Spans are borrowed and need no terminating NUL unless it is said.
 */
#ifndef FASTBEARER_CORE_H
#define FASTBEARER_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "status.h"

typedef struct {
    const char *p;
    size_t len;
} span;

/* --- alg.c: the algorithms and curves ---------------------------------------- */

typedef enum {
    DIGEST_SHA256,
    DIGEST_SHA384,
    DIGEST_SHA512,
    DIGEST_COUNT
} digest_id;

typedef enum { KIND_HMAC, KIND_RSA, KIND_PSS, KIND_EC, KIND_ED } alg_kind;

typedef struct {
    const char *name;  /* "crv": RFC 7518 6.2.1.1, RFC 8037 2, RFC 8812 3.1 */
    const char *group; /* libcrypto's name */
    const char *alg;   /* what a key on it signs with unless it is said */
    alg_kind kind;
    size_t bytes;     /* of a coordinate, or of an Edwards key */
    size_t signature; /* bytes */
} curve;

typedef struct {
    const char *name; /* as in the header: RFC 7518 3.1, 8037, 8812, 9864 */
    digest_id digest; /* but for KIND_ED */
    alg_kind kind;
    size_t signature;  /* bytes; 0 where the key says how many */
    const char *curve; /* the one curve, or NULL */
} alg;

#define SIGNATURE_MAX 2048 /* bytes: RSA of 16384 bits */
#define MAC_MAX 64

typedef struct {
    EVP_MD *md[DIGEST_COUNT];
    bool by_value; /* whether sha2.c may be used instead */
} digests;

/* The row of that name, or NULL. */
const alg *alg_find(const char *name, size_t len);
const curve *curve_find(const char *name, size_t len);

/* The name of a row, or NULL after the last. */
const char *alg_name(size_t row);

/* Fetches every digest once; false when libcrypto lacks one. With only_evp,
 * under FIPS, or where sha2.c disagrees, by_value is false. */
bool digests_fetch(digests *all, bool only_evp);
void digests_free(digests *all);

/* --- b64url.c: base64url without padding (RFC 7515 2) --------------------- */

/* Characters for `len` bytes, bytes for `len` characters. */
size_t b64url_encoded(size_t len);
size_t b64url_decoded(size_t len);

/* Writes b64url_encoded(len) characters, returns the end. */
char *b64url_encode(const unsigned char *bytes, size_t len, char *text);

/*
 * Writes b64url_decoded(len) bytes, which must not overlap the text. False for a character outside the
 * alphabet, an impossible length, or unused trailing bits that are not zero.
 */
bool b64url_decode(const char *text, size_t len, unsigned char *bytes);

/* What b64url_decode would answer. */
bool b64url_check(const char *text, size_t len);

/* --- b64url_wide.c: the same, faster ---------------------------------------- */

/* Converts a multiple of 4 characters or 3 bytes from the beginning, as far as
 * it can (a foreign character stops it); returns what it consumed. */
size_t b64url_encode_wide(const unsigned char *bytes, size_t len, char *text);
size_t b64url_decode_wide(const char *text, size_t len, unsigned char *bytes);

/* --- sha2.c: SHA-2 states by value ------------------------------------------- */

typedef struct {
    digest_id digest;
    union {
        SHA256_CTX sha256;
        SHA512_CTX sha512; /* SHA-384 too */
    } of;
} sha2;

bool sha2_init(sha2 *state, digest_id digest);
bool sha2_update(sha2 *state, const void *bytes, size_t len);
bool sha2_final(sha2 *state, unsigned char *out);

/* Whether it digests as libcrypto's own object does. */
bool sha2_agrees(digest_id digest, const EVP_MD *md);

/* --- hmac.c: HMAC with a prepared key (RFC 2104) ------------------------------- */

typedef union {
    sha2 sha2;
    EVP_MD_CTX *evp;
} hmac_state;

typedef struct {
    hmac_state inner, outer; /* after ipad, after opad; never modified */
    digest_id digest;
    size_t size; /* bytes of a MAC */
    bool is_evp;
} hmac_key;

/* False when libcrypto fails; then nothing is left to clear. */
bool hmac_key_init(hmac_key *key, const digests *all, digest_id digest,
                   const unsigned char *secret, size_t len);
void hmac_key_clear(hmac_key *key);

/* Writes key->size bytes. Any number of threads may share the key. */
bool hmac_sign(const hmac_key *key, const void *message, size_t len,
               unsigned char *mac);

/* --- pkey_read.c: asymmetric keys from text and from parts --------------------- */

/*
 * Each gives a new EVP_PKEY, not checked yet. A PEM text's first key or
 * certificate is taken; of a certificate its key only, not its dates or chain.
 * password may be empty.
 */
status pkey_from_pem(span text, span password, EVP_PKEY **out);
status pkey_from_der(span bytes, span password, EVP_PKEY **out);

/* Big-endian numbers; an empty span for a part that is not there. */
typedef struct {
    span n, e, d, p, q, dp, dq, qi;
} rsa_parts;
status pkey_from_rsa(const rsa_parts *parts, EVP_PKEY **out);

/* Coordinates and private number of exactly the curve's length; y is not
 * used, and d may be empty. */
status pkey_from_curve(const curve *on, span x, span y, span d,
                       EVP_PKEY **out);

status pkey_generate(const alg *algorithm, EVP_PKEY **out);

/* --- pkey_write.c: and back ------------------------------------------------------ */

/* Writes a number big-endian, in `width` bytes or, for 0, as few as it needs;
 * at most SIGNATURE_MAX. Returns how many, 0 if there is no such number. */
size_t pkey_number(EVP_PKEY *evp, const char *name, size_t width,
                   unsigned char *out);

/* The same for an Edwards key's public or private bytes. */
size_t pkey_raw(EVP_PKEY *evp, bool is_private, unsigned char *out);

/* SubjectPublicKeyInfo, or PKCS#8 without encryption; NULL if it fails. */
BIO *pkey_to_pem(EVP_PKEY *evp, bool is_private);

/* A new key that has the public half only. */
status pkey_public(EVP_PKEY *evp, EVP_PKEY **out);

/* --- pkey_check.c: what libcrypto lets pass ------------------------------------- */

/* The curve of an EC or Edwards key that is named in curves; NULL for RSA. */
status pkey_curve(EVP_PKEY *evp, const curve **out);

/* RFC 7518 6.3, RFC 8725 3.4: sizes, points, and that the halves of a private
 * key belong together. */
status pkey_check(EVP_PKEY *evp, const curve *on, bool is_private);

bool pkey_is_private(EVP_PKEY *evp);

/* --- edwards.c -------------------------------------------------------------------- */

/* RFC 8032 5.1.3, 5.2.3: canonical, on the curve, and not of small order. */
bool edwards_is_sound(const curve *on, const unsigned char *point);

/* --- pkey.c: signatures ------------------------------------------------------------- */

typedef struct {
    EVP_PKEY *evp;
    EVP_MD_CTX *verifier, *signer; /* prepared, copied for every use */
    alg_kind kind;
    size_t signature; /* bytes, exactly */
} pkey;

/* Takes over evp, also when it is refused; the signer is prepared if the key
 * is private. An algorithm that does not suit the key is refused. */
status pkey_init(pkey *key, EVP_PKEY *evp, const curve *on, const alg *with,
                 const digests *all);
void pkey_clear(pkey *key);

/* signature has key->signature bytes. Any number of threads may share the
 * key. */
status pkey_verify(const pkey *key, span message,
                   const unsigned char *signature);
status pkey_sign(const pkey *key, span message, unsigned char *signature);

/* --- ecdsa.c: r || s of RFC 7518 3.4 and libcrypto's DER ----------------------------- */

#define ECDSA_DER_MAX 141

/* Returns the length of the DER form, or 0 if r or s is zero. */
size_t ecdsa_to_der(const unsigned char *raw, size_t len, unsigned char *der);
bool ecdsa_from_der(const unsigned char *der, size_t der_len,
                    unsigned char *raw, size_t len);

/* --- aead.c: content encryption and key wrapping (RFC 7518 4.4, 5) ------------- */

#define AEAD_BLOCK 16
#define AEAD_TAG_MAX 32

typedef struct {
    const char *name;
    size_t key, iv, tag; /* bytes, exactly */
    const EVP_CIPHER *(*cipher)(void);
    int mac; /* the digest_id of the MAC of CBC, or -1 for GCM */
} aead;

/* The row of that name, or NULL. */
const aead *aead_find(const char *name, size_t len);

/* Writes at most text.len + AEAD_BLOCK bytes, and how many; and the tag. key
 * and iv have the lengths of the row. */
status aead_seal(const aead *with, const digests *all,
                 const unsigned char *key, const unsigned char *iv, span aad,
                 span text, unsigned char *out, size_t *out_len,
                 unsigned char *tag);

/* Writes at most text.len + AEAD_BLOCK bytes, and how many; the tag has the
 * length of the row. STATUS_SIGNATURE_WRONG where anything was altered; what
 * was written is worth nothing then. */
status aead_open(const aead *with, const digests *all,
                 const unsigned char *key, const unsigned char *iv, span aad,
                 span text, const unsigned char *tag, unsigned char *out,
                 size_t *out_len);

/* The same for CBC, with the MAC of its key prepared. */
bool aead_mac_init(hmac_key *mac, const aead *with, const digests *all,
                   const unsigned char *key);
status aead_open_cbc(const aead *with, const hmac_key *mac,
                     const unsigned char *key, const unsigned char *iv,
                     span aad, span text, const unsigned char *tag,
                     unsigned char *out, size_t *out_len);

/* RFC 3394: a key of a multiple of 8 bytes, at least 16; kek of 16, 24 or 32.
 * Writes 8 bytes more, or less. */
status aes_wrap(span kek, span key, unsigned char *out);
status aes_unwrap(span kek, span wrapped, unsigned char *out);

/* RFC 8017 7.1, with MGF1 of the same digest, for the key of an RSA modulus.
 * Writes at most RSA_BYTES_MAX bytes, and how many. */
#define RSA_BYTES_MAX 2048
status rsa_oaep_seal(EVP_PKEY *evp, bool sha256, span text, unsigned char *out,
                     size_t *out_len);
status rsa_oaep_open(EVP_PKEY *evp, bool sha256, span text, unsigned char *out,
                     size_t *out_len);

/* --- secret.c: what must not become an HMAC secret ------------------------ */

/*
 * RFC 7518 3.2 and RFC 8725 3.1: refuses an empty or blank secret, one shorter
 * than the algorithm's hash (unless allow_short), and asymmetric key material
 * in any of its usual clothes.
 */
status secret_check(span secret, const alg *algorithm, bool allow_short);

/* --- token.c: the three segments ------------------------------------------ */

typedef struct {
    span header, payload, signature; /* base64url text */
    span signing_input;              /* header '.' payload, RFC 7515 5.1 */
} token;

/* With allow_padding, correct '=' padding is cut off the segments. */
status token_split(span text, bool allow_padding, token *out);

/* --- json_scan.c: a strict JSON cursor (RFC 8259) -------------------------- */

#define JSON_DEPTH_MAX 32
#define JSON_DIGITS_MAX 4300

typedef enum {
    JSON_REFUSED, /* see cursor.error; nothing more may be asked */
    JSON_OBJECT,  /* json_member follows, until JSON_OBJECT_END */
    JSON_OBJECT_END,
    JSON_ARRAY, /* json_item follows, until JSON_ARRAY_END */
    JSON_ARRAY_END,
    JSON_NAME, /* json_value follows */
    JSON_STRING,
    JSON_INTEGER,
    JSON_REAL,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL
} json_event;

typedef struct {
    const char *p, *end;
    int depth;
    bool is_first; /* no comma stands before the next element */
    status error;
    /* What the last event read: */
    span text;       /* name or string without quotes, or the number's text */
    bool is_ascii;   /* of a name or string */
    bool is_escaped; /* it holds backslashes: see json_unescape */
    bool is_small;   /* an integer of at most 18 digits, in `integer` */
    int64_t integer;
} json_cursor;

/*
 * A text is read as json_begin, json_value, what the events ask for, and
 * json_end, which says whether nothing is left. Refused are what is not UTF-8,
 * a BOM, NaN and Infinity, lone surrogates, integers of more than
 * JSON_DIGITS_MAX digits, more than JSON_DEPTH_MAX levels and trailing bytes.
 * Duplicate names are the caller's to find.
 */
void json_begin(json_cursor *cursor, span text);
json_event json_value(json_cursor *cursor);
json_event json_member(json_cursor *cursor);
json_event json_item(json_cursor *cursor);
bool json_end(json_cursor *cursor);

/* --- json_text.c: names and strings ----------------------------------------- */

/* The high bit of each byte that is '"', '\\', a control or a non-ASCII
 * character; also, perhaps, of bytes behind the first of them (a borrow). */
static inline uint64_t
json_special(uint64_t word)
{
    const uint64_t each = 0x0101010101010101u;
    uint64_t quote = word ^ each * '"', backslash = word ^ each * '\\';
    return (word | (word - each * 0x20) | (quote - each) | (backslash - each))
           & each * 0x80;
}

/* Reads the text whose opening quote the cursor stands on. */
status json_text_read(json_cursor *cursor);

/* Writes the meaning of an escaped text, in UTF-8; never longer than it. */
size_t json_unescape(span text, char *out);

#include "hashing.h"
#include "session.h"

#endif
