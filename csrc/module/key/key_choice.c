/* Which keys a verifier has, and with which algorithms. */
#include "skin.h"

PyObject *
key_tuple(const core_state *state, PyObject *value)
{
    PyObject *keys = Py_IS_TYPE(value, state->key_type)
                         ? PyTuple_Pack(1, value)
                         : PySequence_Tuple(value);
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
            PyErr_SetString(PyExc_TypeError, "a Key or a KeySet is needed");
            Py_CLEAR(keys);
        } else if (!((KeyObject *)key)->may_verify) {
            raise_status(state, STATUS_KEY_USE);
            Py_CLEAR(keys);
        }
    }
    return keys;
}

bool
key_algorithms(const core_state *state, PyObject *value, alg_set *out)
{
    span text;
    *out = ~(alg_set)0;
    if (value == Py_None) {
        return true;
    }
    PyObject *given = option_strings(state, "algorithms", value, false);
    bool ok = given != NULL;
    *out = 0;
    for (Py_ssize_t i = 0; ok && i < PyTuple_GET_SIZE(given); i++) {
        PyObject *name = PyTuple_GET_ITEM(given, i);
        const alg *found =
            pytext_is_ascii(name, &text) ? alg_find(text.p, text.len) : NULL;
        ok = found != NULL;
        if (ok) {
            *out |= alg_bit(found);
        } else {
            PyErr_Format(state->configuration_error,
                         "algorithms has %R, which is no signature algorithm",
                         name);
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
    for (size_t row = 0; (one = alg_at(row)) != NULL; row++) {
        all |= key_serves(key, one) ? alg_bit(one) : 0;
    }
    bool is_edwards = key->alg->kind == KIND_ED;
    return (all & allowed) != 0 && is_edwards ? all : all & allowed;
}

bool
key_narrow(PyObject **keys, alg_set *allowed)
{
    alg_set of_keys = 0;
    if (*allowed == ~(alg_set)0) {
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
