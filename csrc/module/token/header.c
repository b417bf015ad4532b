/* The JOSE header (RFC 7515 4): reading, checking, making. */
#include "skin.h"

#include "token/token.h"

#define MEMBERS_MAX 64

/* --- reading ------------------------------------------------------------- */

/* Most headers are, byte for byte, one that a key has ready. */
static bool
read_ready(PyObject *keys, span segment, const typ_rules *typ, header *out)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(keys); i++) {
        KeyObject *key = (KeyObject *)PyTuple_GET_ITEM(keys, i);
        for (int form = 0; form < HEADER_COUNT; form++) {
            PyObject *ready = key->headers[form];
            if ((size_t)PyBytes_GET_SIZE(ready) == segment.len
                && typ->takes[form]
                && memcmp(PyBytes_AS_STRING(ready), segment.p, segment.len)
                       == 0) {
                out->alg = key->alg;
                out->kid = key->kid;
                return true;
            }
        }
    }
    return false;
}

CHECKED static status
check_members(PyObject *object, const known_members *known)
{
    PyObject *kid = known->of[NAME_kid], *typ = known->of[NAME_typ];
    PyObject *b64 = known->of[NAME_b64];
    if (PyDict_GET_SIZE(object) > MEMBERS_MAX) {
        return STATUS_HEADER_MEMBERS;
    }
    if (known->of[NAME_crit] != NULL) {
        return STATUS_HEADER_CRIT; /* RFC 7515 4.1.11: not understood */
    }
    if (b64 != NULL && b64 != Py_True) {
        return STATUS_HEADER_B64; /* RFC 7797 7: not in a JWT */
    }
    if (known->of[NAME_zip] != NULL) {
        return STATUS_HEADER_ZIP; /* RFC 7516 4.1.3: a member of JWE */
    }
    if ((kid != NULL && !PyUnicode_Check(kid))
        || (typ != NULL && !PyUnicode_Check(typ))) {
        return STATUS_HEADER_TYPE;
    }
    return STATUS_OK;
}

/* RFC 7515 4.1.1: exactly one of our names, in their exact spelling. */
static const alg *
read_alg(PyObject *name)
{
    span text;
    return name != NULL && fb_pytext_is_ascii(name, &text)
               ? fb_alg_find(text.p, text.len)
               : NULL;
}

bool
fb_header_read(const core_state *state, PyObject *keys, span segment,
               const typ_rules *typ, bool whole, header *out)
{
    known_members known;
    *out = (header){0};
    if (!whole && read_ready(keys, segment, typ, out)) {
        return true;
    }
    out->parsed = fb_segment_object(state, segment, NULL, &known);
    if (out->parsed == NULL) {
        return false;
    }
    out->alg = read_alg(known.of[NAME_alg]);
    out->kid = known.of[NAME_kid];
    status result = out->alg == NULL ? STATUS_ALG_NOT_KEYS
                                     : check_members(out->parsed, &known);
    if (result == STATUS_OK) {
        result = fb_typ_check(typ, known.of[NAME_typ]);
    }
    if (result != STATUS_OK) {
        fb_raise_status(state, result);
        Py_CLEAR(out->parsed);
    }
    return result == STATUS_OK;
}

/* --- making -------------------------------------------------------------- */

/* A typ that is None takes the member out. */
static bool
drop_typ(const core_state *state, PyObject *members)
{
    PyObject *typ = state->names.own[NAME_typ];
    PyObject *value = PyDict_GetItemWithError(members, typ);
    return value == Py_None ? PyDict_DelItem(members, typ) == 0
                            : value != NULL || !PyErr_Occurred();
}

/* The key's members, then the caller's. */
static PyObject *
merge(const core_state *state, const KeyObject *key, PyObject *extra, int form)
{
    known_members known;
    span ready = fb_pytext_bytes(key->headers[form]);
    PyObject *members = fb_segment_object(state, ready, NULL, &known);
    PyObject *still = fb_json_still(extra);
    if (members != NULL
        && (still == NULL || PyDict_Update(members, still) < 0
            || !drop_typ(state, members))) {
        Py_CLEAR(members);
    }
    Py_XDECREF(still);
    return members;
}

static bool
refuse_member(const char *rule)
{
    PyErr_SetString(PyExc_ValueError, rule);
    return false;
}

/* What a verifier of ours would refuse is not signed. */
static bool
check_own_members(const KeyObject *key, PyObject *members,
                  const known_members *known)
{
    PyObject *kid = known->of[NAME_kid];
    if (read_alg(known->of[NAME_alg]) != key->alg) {
        return refuse_member("alg in headers is not the key's algorithm");
    }
    if (check_members(members, known) != STATUS_OK) {
        return refuse_member("headers hold crit, b64 or zip, too many "
                             "members, or a kid or typ that is no string");
    }
    if (kid != NULL && key->kid != NULL
        && PyUnicode_Compare(kid, key->kid) != 0) {
        return refuse_member("kid in headers is not the key's kid");
    }
    return true;
}

/* The text is read back as a verifier reads it. */
static bool
check_own(const core_state *state, const KeyObject *key, PyObject *encoded)
{
    known_members known;
    span segment = fb_pytext_bytes(encoded);
    PyObject *members = fb_segment_object(state, segment, NULL, &known);
    if (members == NULL && PyErr_ExceptionMatches(PyExc_MemoryError)) {
        return false;
    }
    if (members == NULL) {
        PyErr_Clear();
        return refuse_member("headers that are not strict JSON");
    }
    bool ok = check_own_members(key, members, &known);
    Py_DECREF(members);
    return ok;
}

static PyObject *
encode_members(PyObject *members)
{
    json_out text;
    PyObject *encoded = NULL;
    fb_json_out_begin(&text);
    if (fb_json_write(&text, members, 1)) {
        encoded = fb_json_out_b64url(&text);
    } else {
        fb_json_blame_tell(&text, "headers");
    }
    fb_json_out_end(&text);
    return encoded;
}

PyObject *
fb_header_make(const core_state *state, const KeyObject *key, PyObject *extra,
               int form)
{
    if (extra == NULL || extra == Py_None) {
        return Py_NewRef(key->headers[form]);
    }
    if (!PyDict_Check(extra)) {
        PyErr_SetString(PyExc_TypeError, "headers must be a dict or None");
        return NULL;
    }
    PyObject *members = merge(state, key, extra, form);
    PyObject *encoded = members == NULL ? NULL : encode_members(members);
    Py_XDECREF(members);
    if (encoded != NULL && !check_own(state, key, encoded)) {
        Py_CLEAR(encoded);
    }
    return encoded;
}
