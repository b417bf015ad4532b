/*
 * The upper storey: the Python skin over lib.h, and the ground on which each
 * of its files stands: state, types and contracts. Every function that returns
 * an object or a bool sets a Python exception when it returns NULL or false.
 */
#ifndef FASTBEARER_SKIN_H
#define FASTBEARER_SKIN_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "json/dict_walk.h"
#include "json/json_out.h"
#include "json/shape.h"
#include "lib.h"
#include "names.h"

/* --- the state of the module --------------------------------------------- */

/* What is raised for a status; NULL for those that are no error of ours. */
typedef struct {
    PyObject *class, *arguments; /* what its args are */
    PyObject *reason;            /* str */
    PyObject *claim;             /* str, or None; NULL where there is none */
} refusal;

typedef struct {
    refusal refusals[STATUS_COUNT];
    Py_ssize_t reason_at, claim_at; /* their places in an error */
    PyObject *configuration_error;
    PyObject *token_type; /* fastbearer.tokens.Token */
    PyTypeObject *key_type, *verifier_type, *signer_type;
    names names;
    digests digests;
    hash_means means;
    arenas arenas;
    bool writes_dicts; /* see fb_dict_try */
    bool walks_dicts;  /* see fb_dict_walk_try */
} core_state;

static inline core_state *
state_of(PyObject *module)
{
    return PyModule_GetState(module);
}

/* --- engine.c ------------------------------------------------------------ */

/* Whether sodium.c is to be used, where it is there: it is unless the variable
 * says "libcrypto", or libcrypto is to keep to FIPS. */
bool fb_engine_choose(const core_state *state, const char *variable,
                      bool (*is_there)(void), bool *by_sodium);

/* Chooses the means to hash passwords with. */
bool fb_engine_means(core_state *state);

/* Says in an attribute of the module what was chosen. */
bool fb_engine_name(PyObject *module, const char *attribute, bool by_sodium);

/* --- raise.c ------------------------------------------------------------- */

/* Fills what is raised. */
bool fb_raise_prepare(core_state *state);

/* Raises what the status stands for, with its name in lower case as `reason`;
 * returns NULL. */
PyObject *fb_raise_status(const core_state *state, status failed);

/* Raises what the status stands for, which is no claim, in better words;
 * returns NULL. */
PyObject *fb_raise_worded(const core_state *state, status failed,
                          const char *rule, ...);

/* Raises what the status stands for, with the JWK's member that it is about,
 * or NULL; returns NULL. */
PyObject *fb_raise_member(const core_state *state, status failed,
                          const char *member);

/* Raises STATUS_CLAIM_MISSING for that claim; returns NULL. */
PyObject *fb_raise_missing(const core_state *state, PyObject *claim);

/* --- copy.c -------------------------------------------------------------- */

PyObject *fb_copy_self(PyObject *self, PyObject *unused);
PyObject *fb_copy_refuse(PyObject *self, PyObject *unused);

/* Methods of a type whose objects never change: copy.copy, copy.deepcopy and
 * what calls them (dataclasses.asdict) get the object itself; pickle is told
 * why not. */
#define COPY_METHODS                                                          \
    {"__copy__", fb_copy_self, METH_NOARGS, NULL},                            \
        {"__deepcopy__", fb_copy_self, METH_O, NULL},                         \
    {                                                                         \
        "__reduce__", fb_copy_refuse, METH_NOARGS, NULL                       \
    }

/* --- pytext.c: text of Python objects ------------------------------------ */

/* Borrows what bytes hold. */
span fb_pytext_bytes(PyObject *bytes);

/* Borrows an ASCII str's text; false, without an exception, for all else. */
bool fb_pytext_is_ascii(PyObject *value, span *text);

/* Borrows what a str or bytes holds. TypeError, with that name, for another
 * type, and `refused` for a str that is not ASCII. */
bool fb_pytext_ascii(const core_state *state, const char *name,
                     PyObject *value, status refused, span *text);

/* The same in UTF-8, with `refused` for a lone surrogate. */
bool fb_pytext_utf8(const core_state *state, const char *name, PyObject *value,
                    status refused, span *text);

/* --- option.c: arguments of constructors --------------------------------- */

/* Calls a method with a dict of its own of what it is given by name: all that
 * it borrows from there lives until it returns, whatever code of others runs
 * meanwhile. Whatever parses arguments by name is called so. */
PyObject *fb_option_hold(PyCFunctionWithKeywords method, PyObject *self,
                         PyObject *args, PyObject *kwargs);

/* Whether the exception that is set is about a value whose code has run, and
 * not a KeyboardInterrupt, or want of memory. */
bool fb_option_is_refused(void);

/* Whether a value has an attribute, which tells what it may be. An exception
 * that is not about the value stays set, and then no value has any. */
bool fb_option_has(PyObject *value, const char *name);

/* Seconds: a number, or a timedelta; from 0 to 2^52. */
bool fb_option_duration(const core_state *state, const char *name,
                        PyObject *value, double *seconds);

/* A plain string of Unicode text, a new reference; NULL for None. */
bool fb_option_string(const core_state *state, const char *name,
                      PyObject *value, PyObject **string);

/* A tuple of such plain strings from one or an iterable of them. */
PyObject *fb_option_strings(const core_state *state, const char *name,
                            PyObject *value, bool may_be_empty);

/* For PyArg_Parse: a Py_ssize_t; an integer out of its range becomes the
 * range's end. */
int fb_option_size(PyObject *value, void *out);

/* A callable, or NULL for None; borrowed. */
bool fb_option_clock(PyObject *value, PyObject **clock);

/* Seconds since the epoch by that clock, or by the system's if it is NULL. */
bool fb_option_clock_read(PyObject *clock, double *now);

/* --- dict_fill.c --------------------------------------------------------- */

/* Finds out whether values can be written into a dict, or have to be set. */
void fb_dict_try(core_state *state);

/* A dict of these names, in order, to be copied. NULL where one comes twice,
 * without an exception. */
PyObject *fb_dict_model(PyObject *const *given, Py_ssize_t count);

/* A copy of a model that has these values, in order, which are taken over. */
PyObject *fb_dict_fill(const core_state *state, PyObject *model,
                       PyObject *const *values, Py_ssize_t count);

/* --- json_read.c --------------------------------------------------------- */

/* Members of an object that the core reads itself, borrowed from it; NULL
 * where absent. */
typedef struct {
    PyObject *of[NAME_COUNT];
    uint32_t read; /* a bit for each id whose integer is known already: */
    int64_t integers[NAME_COUNT];
    bool is_new; /* there is a shape that fb_json_learn would learn */
} known_members;

/* The object that the whole text is; refuses duplicate names, too. With
 * `learned`, which may be NULL, it uses the shapes that are known, and
 * SHAPE_HEAD bytes of zeros follow the text. */
PyObject *fb_json_read_object(const core_state *state, span text,
                              json_shapes *learned, known_members *known);

/* The same of a text that holds secrets: its strings and dicts are also added
 * to the list `kept`, also where the text is refused. */
PyObject *fb_json_read_secrets(const core_state *state, span text,
                               PyObject *kept);

/* Reads such a text once more, to learn its shapes. No exception. */
void fb_json_learn(const core_state *state, span text, json_shapes *learned);

/* --- secret_text.c ------------------------------------------------------- */

/* Empties the dicts of such a list, then wipes the strings that nobody else
 * has. */
void fb_secret_text_wipe(PyObject *kept);

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

extern PyType_Spec fb_key_spec;

/* What a new key is told besides its key material. */
typedef struct {
    const alg *alg; /* NULL: what the key material suggests */
    PyObject *kid;  /* str, None or NULL */
    bool may_sign, may_verify;
    bool is_open; /* serves its whole family: see fb_pkey_open */
} key_traits;

/* A new HMAC key of a secret that fb_secret_check has passed. */
PyObject *fb_key_from_bytes(core_state *state, span secret,
                            const key_traits *traits);

/* Takes over and checks an EVP_PKEY, and prepares it. */
CHECKED status fb_key_prepare(core_state *state, EVP_PKEY *evp,
                              const key_traits *traits, pkey *made);

/* A new key of what fb_key_prepare has made, which it takes over. */
PyObject *fb_key_from_pkey(core_state *state, pkey *made,
                           const key_traits *traits);

/* Both at once. */
PyObject *fb_key_from_evp(core_state *state, EVP_PKEY *evp,
                          const key_traits *traits);

/* Whether it verifies tokens of that algorithm. */
bool fb_key_serves(const KeyObject *key, const alg *with);

/* Takes what serves none of the algorithms out of a tuple of keys, which may
 * then be empty. *allowed gets both names of those that have two. */
bool fb_key_narrow(PyObject **keys, alg_set *allowed);

/* From one name of an algorithm or an iterable of them; None is all. */
bool fb_key_algorithms(const core_state *state, PyObject *value, alg_set *out);

/* For an argument that names an algorithm, or is None. */
bool fb_key_algorithm(const core_state *state, PyObject *name,
                      const alg **out);

/* Whether it is None, or a str that a header can hold. */
bool fb_key_kid(const core_state *state, PyObject *kid);

/* Raises an InvalidKeyError for a key that cannot, or may not, sign. */
bool fb_key_can_sign(const core_state *state, const KeyObject *key);

/* The algorithm that a wrong name may have meant, or NULL. */
const alg *fb_key_near_miss(PyObject *name);

/* Raises the TypeError for what is not a Key, and says how to make one; the
 * argument is called `what`. Returns NULL. */
PyObject *fb_key_is_needed(const char *what, PyObject *value);

/* A tuple of keys that may verify, from one Key or an iterable of them; not
 * empty. */
PyObject *fb_key_tuple(const core_state *state, PyObject *value);

/* --- key_make.c, key_pem.c, jwk_read.c, jwk_write.c: methods of Key ------ */

extern const char fb_key_from_secret_doc[], fb_key_generate_doc[];
PyObject *fb_key_from_secret(PyObject *type, PyObject *args, PyObject *kwargs);
PyObject *fb_key_generate(PyObject *type, PyObject *args, PyObject *kwargs);

extern const char fb_key_from_pem_doc[], fb_key_from_der_doc[],
    fb_key_to_pem_doc[];
PyObject *fb_key_from_pem(PyObject *type, PyObject *args, PyObject *kwargs);
PyObject *fb_key_from_der(PyObject *type, PyObject *args, PyObject *kwargs);
PyObject *fb_key_to_pem(PyObject *self, PyObject *args, PyObject *kwargs);

extern const char fb_jwk_read_key_doc[], fb_jwk_write_key_doc[],
    fb_jwk_thumbprint_doc[];
PyObject *fb_jwk_read_key(PyObject *type, PyObject *args, PyObject *kwargs);
PyObject *fb_jwk_write_key(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *fb_jwk_thumbprint(PyObject *self, PyObject *unused);

/* --- ready.c ------------------------------------------------------------- */

/* Fills key->headers, from its algorithm and its kid. */
bool fb_ready_make(KeyObject *key);

/* --- field.c ------------------------------------------------------------- */

/* A list or tuple of a request's pairs, which nobody changes meanwhile. */
PyObject *fb_field_pairs(PyObject *headers);

/* A new reference to the value of a pair of that name, or NULL. */
bool fb_field_value(PyObject *pair, PyObject *wanted, PyObject **value);

/* --- what module.c puts into the module ---------------------------------- */

extern PyType_Spec fb_verifier_spec, fb_signer_spec, fb_session_secret_spec;
extern PyMethodDef fb_bearer_methods[], fb_cookie_methods[],
    fb_encryption_methods[];
extern PyMethodDef fb_issuer_methods[], fb_jwk_methods[], fb_jws_methods[];
extern PyMethodDef fb_password_methods[], fb_raw_methods[],
    fb_session_methods[];
extern PyMethodDef fb_password_parts_methods[], fb_slot_methods[];

#endif
