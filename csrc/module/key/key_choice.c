/* Which keys a verifier has, and with which algorithms. */
#include "skin.h"

/* --- words for those who reach for the wrong call ------------------------ */

static char
folded(char c)
{
    return (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

/* The same letters and digits, whatever their case and what stands between. */
static bool
is_near(span text, const char *name)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = folded(text.p[i]);
        bool counts = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (counts && folded(*name) == c) {
            name++;
        } else if (counts) {
            return false;
        }
    }
    return *name == '\0';
}

const alg *
fb_key_near_miss(PyObject *name)
{
    span text;
    const alg *one = NULL;
    if (fb_pytext_is_ascii(name, &text)) {
        for (size_t row = 0; (one = fb_alg_at(row)) != NULL; row++) {
            if (is_near(text, one->name)) {
                break;
            }
        }
    }
    return one;
}

PyObject *
fb_key_is_needed(const char *what, PyObject *value)
{
    const char *advice = "";
    if (PyUnicode_Check(value) || PyBytes_Check(value)) {
        advice = ": make one with Key.from_secret(secret) or "
                 "Key.from_pem(text); for a URL there is JWKSVerifier(url)";
    } else if (PyDict_Check(value)) {
        advice = ": make one with Key.from_jwk(jwk), or "
                 "KeySet.from_jwks(jwks) of a set";
    } else if (fb_option_has(value, "akeys")) {
        advice = ": for such a client there is JWKSVerifier(client)";
    } else if (fb_option_has(value, "public_bytes")
               || fb_option_has(value, "private_bytes")) {
        advice = ": write it as PEM, and read that with Key.from_pem(text)";
    }
    if (!PyErr_Occurred()) {
        PyErr_Format(PyExc_TypeError, "%s must be a Key, not %.100s%s", what,
                     Py_TYPE(value)->tp_name, advice);
    }
    return NULL;
}

/* --- choosing ------------------------------------------------------------ */

/* Strings and mappings can be iterated over, too, and hold no keys. */
static PyObject *
several(const core_state *state, PyObject *value)
{
    if (Py_IS_TYPE(value, state->key_type)) {
        return PyTuple_Pack(1, value);
    }
    PyTypeObject *type = Py_TYPE(value);
    bool holds_none = PyUnicode_Check(value) || PyBytes_Check(value)
                      || PyDict_Check(value)
                      || (type->tp_iter == NULL && !PySequence_Check(value));
    return holds_none ? fb_key_is_needed("key", value)
                      : PySequence_Tuple(value);
}

PyObject *
fb_key_tuple(const core_state *state, PyObject *value)
{
    PyObject *keys = several(state, value);
    if (keys == NULL) {
        return NULL;
    }
    if (PyTuple_GET_SIZE(keys) == 0) {
        PyErr_SetString(state->configuration_error, "no key was given");
        Py_CLEAR(keys);
    }
    for (Py_ssize_t i = 0; keys != NULL && i < PyTuple_GET_SIZE(keys); i++) {
        PyObject *key = PyTuple_GET_ITEM(keys, i);
        if (!Py_IS_TYPE(key, state->key_type)) {
            fb_key_is_needed("each of several keys", key);
            Py_CLEAR(keys);
        } else if (!((KeyObject *)key)->may_verify) {
            fb_raise_status(state, STATUS_KEY_USE);
            Py_CLEAR(keys);
        }
    }
    return keys;
}

bool
fb_key_algorithms(const core_state *state, PyObject *value, alg_set *out)
{
    span text;
    *out = ALG_SET_ALL;
    if (value == Py_None) {
        return true;
    }
    PyObject *given = fb_option_strings(state, "algorithms", value, false);
    bool ok = given != NULL;
    *out = 0;
    for (Py_ssize_t i = 0; ok && i < PyTuple_GET_SIZE(given); i++) {
        PyObject *name = PyTuple_GET_ITEM(given, i);
        const alg *found = fb_pytext_is_ascii(name, &text)
                               ? fb_alg_find(text.p, text.len)
                               : NULL;
        ok = found != NULL;
        if (ok) {
            *out |= fb_alg_bit(found);
        } else {
            const alg *near_miss = fb_key_near_miss(name);
            PyErr_Format(state->configuration_error,
                         "algorithms has a name that is no signature "
                         "algorithm%s%s",
                         near_miss == NULL ? "" : ": did you mean ",
                         near_miss == NULL ? "" : near_miss->name);
        }
    }
    Py_XDECREF(given);
    return ok;
}

/* What of the set a key serves, under all the names of it. */
static alg_set
served(const KeyObject *key, alg_set allowed)
{
    const alg *one;
    alg_set all = 0;
    for (size_t row = 0; (one = fb_alg_at(row)) != NULL; row++) {
        all |= fb_key_serves(key, one) ? fb_alg_bit(one) : 0;
    }
    bool is_edwards = key->alg->kind == KIND_ED;
    return (all & allowed) != 0 && is_edwards ? all : all & allowed;
}

bool
fb_key_narrow(PyObject **keys, alg_set *allowed)
{
    alg_set of_keys = 0;
    if (*allowed == ALG_SET_ALL) {
        return true;
    }
    PyObject *list = PyList_New(0);
    for (Py_ssize_t i = 0; list != NULL && i < PyTuple_GET_SIZE(*keys); i++) {
        PyObject *key = PyTuple_GET_ITEM(*keys, i);
        alg_set of_key = served((KeyObject *)key, *allowed);
        of_keys |= of_key;
        if (of_key != 0 && PyList_Append(list, key) < 0) {
            Py_CLEAR(list);
        }
    }
    Py_SETREF(*keys, list == NULL ? NULL : PyList_AsTuple(list));
    Py_XDECREF(list);
    *allowed |= of_keys;
    return *keys != NULL;
}
