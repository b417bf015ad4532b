/*
 * The upper storey: the Python skin over lib.h, and the ground on which each
 * of its files stands: state, types and contracts. Every function that returns
 * an object or a bool sets a Python exception when it returns NULL or false.
 */
#ifndef FASTBEARER_SKIN_H
#define FASTBEARER_SKIN_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "json/json_out.h"
#include "lib.h"
#include "names.h"

/* --- the state of the module --------------------------------------------- */

/* What is raised for a status; NULL for those that are no error of ours. */
typedef struct {
    PyObject *class, *arguments, *reason;
} refusal;

typedef struct {
    refusal refusals[STATUS_COUNT];
    PyObject *reason_name; /* "reason", interned */
    PyObject *configuration_error;
    PyObject *token_type; /* fastbearer.tokens.Token */
    PyTypeObject *key_type, *verifier_type, *signer_type;
    names names;
    digests digests;
    hash_means means;
    arenas arenas;
} core_state;

static inline core_state *
state_of(PyObject *module)
{
    return PyModule_GetState(module);
}

/* --- raise.c ------------------------------------------------------------- */

/* Fills what is raised. */
bool raise_prepare(core_state *state);

/* Raises what the status stands for, with its name in lower case as `reason`;
 * returns NULL. */
PyObject *raise_status(const core_state *state, status failed);

/* Raises what the status stands for, in better words; returns NULL. */
PyObject *raise_worded(const core_state *state, status failed,
                       const char *rule, ...);

/* Raises what the status stands for, with the JWK's member that it is about,
 * or NULL; returns NULL. */
PyObject *raise_member(const core_state *state, status failed,
                       const char *member);

/* Raises STATUS_CLAIM_MISSING for that claim; returns NULL. */
PyObject *raise_missing(const core_state *state, PyObject *claim);

/* --- copy.c -------------------------------------------------------------- */

PyObject *copy_self(PyObject *self, PyObject *unused);
PyObject *copy_refuse(PyObject *self, PyObject *unused);

/* Methods of a type whose objects never change: copy.copy, copy.deepcopy and
 * what calls them (dataclasses.asdict) get the object itself; pickle is told
 * why not. */
#define COPY_METHODS                                                          \
    {"__copy__", copy_self, METH_NOARGS, NULL},                               \
        {"__deepcopy__", copy_self, METH_O, NULL},                            \
    {                                                                         \
        "__reduce__", copy_refuse, METH_NOARGS, NULL                          \
    }

/* --- pytext.c: text of Python objects ------------------------------------ */

/* Borrows what bytes hold. */
span pytext_bytes(PyObject *bytes);

/* Borrows an ASCII str's text; false, without an exception, for all else. */
bool pytext_is_ascii(PyObject *value, span *text);

/* Borrows what a str or bytes holds. TypeError, with that name, for another
 * type, and `refused` for a str that is not ASCII. */
bool pytext_ascii(const core_state *state, const char *name, PyObject *value,
                  status refused, span *text);

/* The same in UTF-8, with `refused` for a lone surrogate. */
bool pytext_utf8(const core_state *state, const char *name, PyObject *value,
                 status refused, span *text);

/* --- option.c: arguments of constructors --------------------------------- */

/* Seconds: a number, or a timedelta; from 0 to 2^52. */
bool option_duration(const core_state *state, const char *name,
                     PyObject *value, double *seconds);

/* A plain string of Unicode text, a new reference; NULL for None. */
bool option_string(const core_state *state, const char *name, PyObject *value,
                   PyObject **string);

/* A tuple of such plain strings from one or an iterable of them. */
PyObject *option_strings(const core_state *state, const char *name,
                         PyObject *value, bool may_be_empty);

/* A callable, or NULL for None; borrowed. */
bool option_clock(PyObject *value, PyObject **clock);

/* Seconds since the epoch by that clock, or by the system's if it is NULL. */
bool option_clock_read(PyObject *clock, double *now);

/* --- json_read.c --------------------------------------------------------- */

/* Members of an object that the core reads itself, borrowed from it; NULL
 * where absent. */
typedef struct {
    PyObject *of[NAME_COUNT];
} known_members;

/* The object that the whole text is; refuses duplicate names, too. */
PyObject *json_read_object(const core_state *state, span text,
                           known_members *known);

/* --- key.c --------------------------------------------------------------- */

/* The headers that a key writes or meets most, ready as base64url. */
enum { HEADER_JWT, HEADER_JWS, HEADER_TURNED, HEADER_COUNT };

typedef struct {
    PyObject_HEAD
    const alg *alg;
    hmac_key hmac;         /* for KIND_HMAC */
    pkey pkey;             /* for the others */
    unsigned char *secret; /* for KIND_HMAC: cleansed at the end */
    size_t secret_len;
    size_t signature; /* bytes */
    bool may_sign, may_verify;
    PyObject *kid;                   /* str, or NULL */
    PyObject *headers[HEADER_COUNT]; /* bytes */
} KeyObject;

extern PyType_Spec key_spec;

/* What a new key is told besides its key material. */
typedef struct {
    const alg *alg; /* NULL: what the key material suggests */
    PyObject *kid;  /* str, None or NULL */
    bool may_sign, may_verify;
    bool is_open; /* serves its whole family: see pkey_open */
} key_traits;

/* A new HMAC key of a secret that secret_check has passed. */
PyObject *key_from_bytes(core_state *state, span secret,
                         const key_traits *traits);

/* Takes over and checks an EVP_PKEY, and prepares it. */
CHECKED status key_prepare(core_state *state, EVP_PKEY *evp,
                           const key_traits *traits, pkey *made);

/* A new key of what key_prepare has made, which it takes over. */
PyObject *key_from_pkey(core_state *state, pkey *made,
                        const key_traits *traits);

/* Both at once. */
PyObject *key_from_evp(core_state *state, EVP_PKEY *evp,
                       const key_traits *traits);

/* Whether it verifies tokens of that algorithm. */
bool key_serves(const KeyObject *key, const alg *with);

/* Takes what serves none of the algorithms out of a tuple of keys, which may
 * then be empty. *allowed gets both names of those that have two. */
bool key_narrow(PyObject **keys, alg_set *allowed);

/* From one name of an algorithm or an iterable of them; None is all. */
bool key_algorithms(const core_state *state, PyObject *value, alg_set *out);

/* For an argument that names an algorithm, or is None. */
bool key_algorithm(const core_state *state, PyObject *name, const alg **out);

/* Whether it is None, or a str that a header can hold. */
bool key_kid(const core_state *state, PyObject *kid);

/* Raises an InvalidKeyError for a key that cannot, or may not, sign. */
bool key_can_sign(const core_state *state, const KeyObject *key);

/* The algorithm that a wrong name may have meant, or NULL. */
const alg *key_near_miss(PyObject *name);

/* Raises the TypeError for what is not a Key, and says how to make one; the
 * argument is called `what`. Returns NULL. */
PyObject *key_is_needed(const char *what, PyObject *value);

/* A tuple of keys that may verify, from one Key or an iterable of them; not
 * empty. */
PyObject *key_tuple(const core_state *state, PyObject *value);

/* --- key_make.c, key_pem.c, jwk_read.c, jwk_write.c: methods of Key ------ */

extern const char key_from_secret_doc[], key_generate_doc[];
PyObject *key_from_secret(PyObject *type, PyObject *args, PyObject *kwargs);
PyObject *key_generate(PyObject *type, PyObject *args, PyObject *kwargs);

extern const char key_from_pem_doc[], key_from_der_doc[], key_to_pem_doc[];
PyObject *key_from_pem(PyObject *type, PyObject *args, PyObject *kwargs);
PyObject *key_from_der(PyObject *type, PyObject *args, PyObject *kwargs);
PyObject *key_to_pem(PyObject *self, PyObject *args, PyObject *kwargs);

extern const char jwk_read_key_doc[], jwk_write_key_doc[],
    jwk_thumbprint_doc[];
PyObject *jwk_read_key(PyObject *type, PyObject *args, PyObject *kwargs);
PyObject *jwk_write_key(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *jwk_thumbprint(PyObject *self, PyObject *unused);

/* --- ready.c ------------------------------------------------------------- */

/* Fills key->headers, from its algorithm and its kid. */
bool ready_make(KeyObject *key);

/* --- segment.c ----------------------------------------------------------- */

/* The bytes of a segment, strict base64url. */
PyObject *segment_bytes(const core_state *state, span segment);

/* The object whose JSON a segment holds, unchecked but for its JSON. */
PyObject *segment_object(const core_state *state, span segment,
                         known_members *known);

/* --- typ.c --------------------------------------------------------------- */

typedef struct {
    PyObject *types; /* tuple of ASCII str, or NULL: any; owned */
    bool may_be_absent;
    bool takes[HEADER_COUNT]; /* the typ of each header that a key has ready */
} typ_rules;

extern const typ_rules typ_any;

/* From one media type, or an iterable of them and of None, which stands for a
 * header without one; None alone takes any. */
bool typ_make(const core_state *state, PyObject *value, typ_rules *rules);

/* Whether the header's typ, a str or NULL, is one of them. */
CHECKED status typ_check(const typ_rules *rules, PyObject *found);

/* --- header.c ------------------------------------------------------------ */

typedef struct {
    const alg *alg;
    PyObject *kid;    /* borrowed; NULL if absent */
    PyObject *parsed; /* owned; NULL where the header was a ready one */
} header;

/* Reads and checks the JOSE header (RFC 7515 4); with `whole`, out->parsed is
 * filled always. */
bool header_read(const core_state *state, PyObject *keys, span segment,
                 const typ_rules *typ, bool whole, header *out);

/* Base64url of the header that `key` writes: its ready one, or with `extra`
 * members. New reference to bytes. */
PyObject *header_make(const core_state *state, const KeyObject *key,
                      PyObject *extra, int kind);

/* --- signature.c --------------------------------------------------------- */

/* Whether one of the keys that the header admits made the signature. */
CHECKED status signature_verify(PyObject *keys, const header *head,
                                const token *parts);

/* Whether that key made the signature of the message, with an algorithm that
 * it serves. */
CHECKED status signature_matches(const KeyObject *key, const alg *with,
                                 span message, span claimed);

/* Writes key->signature bytes, for a key that can sign. */
CHECKED status signature_make(const KeyObject *key, span message,
                              unsigned char *made);

/* The compact JWS of an encoded header and a payload. */
PyObject *signature_sign(const core_state *state, const KeyObject *key,
                         PyObject *encoded_header, span payload);

/* --- given.c ------------------------------------------------------------- */

/* Writes claims; *claims becomes a plain copy (or NULL) if they are not. */
bool given_write(json_out *text, PyObject **claims);

/* --- claims.c ------------------------------------------------------------ */

typedef struct {
    PyObject *issuers, *audiences; /* tuples of str, or NULL */
    PyObject *required; /* tuple of str, without those of requires */
    bool requires[NAME_COUNT];
    PyObject *clock;        /* callable, or NULL */
    double leeway, max_age; /* seconds; max_age < 0 for none */
    int ignore_audience;
} claims_rules;

/* RFC 7519 4.1, at a time that was read before the claims. */
bool claims_check(const core_state *state, const claims_rules *rules,
                  PyObject *claims, const known_members *known, double now);

/* --- cache.c ------------------------------------------------------------- */

/* A set of tokens, and the order in which they came. Empty: no cache. */
typedef struct {
#ifdef Py_GIL_DISABLED
    PyMutex adding; /* held for all of cache_add */
#endif
    PyObject *known; /* set */
    PyObject **ring; /* owned; `next` is the oldest once it is full */
    Py_ssize_t size, next;
} signature_cache;

bool cache_make(signature_cache *cache, Py_ssize_t size);
void cache_clear(signature_cache *cache);

/* Only the whole text of a token is found, str or bytes, until `size` others
 * have come. Neither raises. Threads may share the cache, GIL or not. */
bool cache_has(const signature_cache *cache, PyObject *value);
void cache_add(signature_cache *cache, PyObject *value);

/* --- field.c ------------------------------------------------------------- */

/* A list or tuple of a request's pairs, which nobody changes meanwhile. */
PyObject *field_pairs(PyObject *headers);

/* A new reference to the value of a pair of that name, or NULL. */
bool field_value(PyObject *pair, PyObject *wanted, PyObject **value);

/* --- what module.c puts into the module ---------------------------------- */

extern PyType_Spec verifier_spec, signer_spec, session_secret_spec;
extern PyMethodDef bearer_methods[], cookie_methods[], encryption_methods[];
extern PyMethodDef issuer_methods[], jwk_methods[], jws_methods[];
extern PyMethodDef password_methods[], raw_methods[], session_methods[];
extern PyMethodDef password_parts_methods[];
/* Chooses the means to hash passwords with, as the environment says. */
bool password_means(core_state *state);

#endif
