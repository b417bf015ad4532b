/* Key: one algorithm and its prepared key material. */
#include "skin.h"

#include <openssl/crypto.h>

PyDoc_STRVAR(key_doc,
"A key that knows its one algorithm and was checked and prepared once.\n"
"\n"
"Immutable, and safe to share between threads. Made by `from_secret`,\n"
"`from_pem`, `from_der`, `from_jwk` and `generate`; neither repr() nor an\n"
"error shows key material.");

/* --- construction -------------------------------------------------------- */

static KeyObject *
key_new(core_state *state, const alg *with, const key_traits *traits)
{
    PyTypeObject *type = state->key_type;
    KeyObject *key = (KeyObject *)type->tp_alloc(type, 0);
    if (key != NULL) {
        key->alg = with;
        key->signature = with->signature;
        key->may_sign = traits->may_sign;
        key->may_verify = traits->may_verify;
        if (traits->kid != NULL && traits->kid != Py_None) {
            key->kid = PyUnicode_FromObject(traits->kid);
            if (key->kid == NULL) {
                Py_CLEAR(key);
            }
        }
    }
    return key;
}

/* The key with its headers, or NULL and an exception. */
static PyObject *
finish(KeyObject *key, const core_state *state, status result)
{
    if (result != STATUS_OK) {
        fb_raise_status(state, result);
    }
    if (result != STATUS_OK || !fb_ready_make(key)) {
        Py_CLEAR(key);
    }
    return (PyObject *)key;
}

PyObject *
fb_key_from_bytes(core_state *state, span secret, const key_traits *traits)
{
    KeyObject *key = key_new(state, traits->alg, traits);
    if (key == NULL) {
        return NULL;
    }
    key->secret = OPENSSL_memdup(secret.p, secret.len);
    key->secret_len = secret.len;
    if (key->secret == NULL) {
        return finish(key, state, STATUS_NO_MEMORY);
    }
    status result =
        fb_hmac_key_init(&key->hmac, &state->digests, traits->alg->digest,
                         key->secret, key->secret_len);
    return finish(key, state, result);
}

status
fb_key_prepare(core_state *state, EVP_PKEY *evp, const key_traits *traits,
               pkey *made)
{
    status result;
    Py_BEGIN_ALLOW_THREADS; /* a private RSA key takes milliseconds */
    result = fb_pkey_make(made, evp, traits->alg, &state->digests);
    if (result == STATUS_OK && traits->is_open) {
        result = fb_pkey_open(made, &state->digests);
        if (result != STATUS_OK) {
            fb_pkey_clear(made);
        }
    }
    Py_END_ALLOW_THREADS;
    return result;
}

PyObject *
fb_key_from_pkey(core_state *state, pkey *made, const key_traits *traits)
{
    KeyObject *key = key_new(state, made->alg, traits);
    if (key == NULL) {
        fb_pkey_clear(made);
        return NULL;
    }
    key->pkey = *made;
    key->signature = made->signature;
    return finish(key, state, STATUS_OK);
}

PyObject *
fb_key_from_evp(core_state *state, EVP_PKEY *evp, const key_traits *traits)
{
    pkey made;
    status result = fb_key_prepare(state, evp, traits, &made);
    return result == STATUS_OK ? fb_key_from_pkey(state, &made, traits)
                               : fb_raise_status(state, result);
}

bool
fb_key_serves(const KeyObject *key, const alg *with)
{
    return key->alg == with
           || (key->alg->kind != KIND_HMAC
               && fb_pkey_for(&key->pkey, with) != NULL);
}

bool
fb_key_kid(const core_state *state, PyObject *kid)
{
    if (kid != Py_None && !PyUnicode_Check(kid)) {
        PyErr_SetString(PyExc_TypeError, "kid must be a string or None");
        return false;
    }
    if (kid == Py_None || PyUnicode_AsUTF8AndSize(kid, NULL) != NULL) {
        return true;
    }
    if (PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        PyErr_Clear();
        fb_raise_status(state, STATUS_KEY_KID);
    }
    return false;
}

bool
fb_key_algorithm(const core_state *state, PyObject *name, const alg **out)
{
    span text;
    *out = NULL;
    if (name == Py_None) {
        return true;
    }
    if (!PyUnicode_Check(name)) {
        PyErr_SetString(PyExc_TypeError, "algorithm must be a string");
        return false;
    }
    if (fb_pytext_is_ascii(name, &text)) {
        *out = fb_alg_find(text.p, text.len);
    }
    if (*out == NULL) {
        const alg *near_miss = fb_key_near_miss(name);
        if (near_miss != NULL) {
            fb_raise_worded(state, STATUS_KEY_ALGORITHM,
                            "the algorithm is unknown: did you mean %s?",
                            near_miss->name);
        } else {
            fb_raise_status(state, STATUS_KEY_ALGORITHM);
        }
    }
    return *out != NULL;
}

bool
fb_key_can_sign(const core_state *state, const KeyObject *key)
{
    bool is_able = key->alg->kind == KIND_HMAC || key->pkey.signer != NULL;
    if (!is_able || !key->may_sign) {
        fb_raise_status(state,
                        is_able ? STATUS_KEY_USE : STATUS_KEY_NOT_PRIVATE);
    }
    return is_able && key->may_sign;
}

/* --- the type ------------------------------------------------------------ */

static void
key_dealloc(PyObject *self)
{
    KeyObject *key = (KeyObject *)self;
    PyTypeObject *type = Py_TYPE(self);
    fb_hmac_key_clear(&key->hmac);
    fb_pkey_clear(&key->pkey);
    OPENSSL_clear_free(key->secret, key->secret_len);
    Py_XDECREF(key->kid);
    for (int i = 0; i < HEADER_COUNT; i++) {
        Py_XDECREF(key->headers[i]);
    }
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *
key_repr(PyObject *self)
{
    KeyObject *key = (KeyObject *)self;
    return key->kid == NULL ? PyUnicode_FromFormat("<Key %s>", key->alg->name)
                            : PyUnicode_FromFormat("<Key %s kid=%R>",
                                                   key->alg->name, key->kid);
}

static PyObject *
key_get_algorithm(PyObject *self, void *Py_UNUSED(closure))
{
    return PyUnicode_FromString(((KeyObject *)self)->alg->name);
}

/* In the order of the table, but for its own, which comes first. */
static PyObject *
key_get_algorithms(PyObject *self, void *Py_UNUSED(closure))
{
    const KeyObject *key = (KeyObject *)self;
    PyObject *list = Py_BuildValue("[s]", key->alg->name);
    const alg *other;
    for (size_t row = 0; list != NULL && (other = fb_alg_at(row)) != NULL;
         row++) {
        if (other != key->alg && fb_key_serves(key, other)) {
            PyObject *name = PyUnicode_FromString(other->name);
            if (name == NULL || PyList_Append(list, name) < 0) {
                Py_CLEAR(list);
            }
            Py_XDECREF(name);
        }
    }
    PyObject *all = list == NULL ? NULL : PyList_AsTuple(list);
    Py_XDECREF(list);
    return all;
}

static PyObject *
key_get_kid(PyObject *self, void *Py_UNUSED(closure))
{
    PyObject *kid = ((KeyObject *)self)->kid;
    return Py_NewRef(kid == NULL ? Py_None : kid);
}

/* A shared secret can sign, so whoever holds it holds the private part. */
static PyObject *
key_get_is_private(PyObject *self, void *Py_UNUSED(closure))
{
    const KeyObject *key = (KeyObject *)self;
    return PyBool_FromLong(key->alg->kind == KIND_HMAC
                           || key->pkey.signer != NULL);
}

PyDoc_STRVAR(public_doc,
"public($self, /)\n"
"--\n"
"\n"
"Return the key without its private half; itself if it has none.\n"
"\n"
"Raises:\n"
"    InvalidKeyError: A shared secret has no public half.");

static PyObject *
key_public(PyObject *self, PyObject *Py_UNUSED(unused))
{
    const KeyObject *key = (KeyObject *)self;
    core_state *state = PyType_GetModuleState(Py_TYPE(self));
    EVP_PKEY *evp = NULL;
    if (key->alg->kind == KIND_HMAC) {
        return fb_raise_status(state, STATUS_KEY_NO_PUBLIC);
    }
    if (key->pkey.signer == NULL) {
        return Py_NewRef(self);
    }
    key_traits traits = {key->alg, key->kid, true, true,
                         key->pkey.family != NULL};
    status result = fb_pkey_public(key->pkey.evp, &evp);
    return result == STATUS_OK ? fb_key_from_evp(state, evp, &traits)
                               : fb_raise_status(state, result);
}

static PyObject *
key_new_refused(PyTypeObject *Py_UNUSED(type), PyObject *Py_UNUSED(args),
                PyObject *Py_UNUSED(kwargs))
{
    PyErr_SetString(PyExc_TypeError,
                    "Key is not called: use Key.from_secret(secret), "
                    "Key.from_pem(text), Key.from_jwk(jwk) or "
                    "Key.generate(algorithm)");
    return NULL;
}

static PyMethodDef key_methods[] = {
    {"from_secret", (PyCFunction)(void (*)(void))fb_key_from_secret,
     METH_CLASS | METH_VARARGS | METH_KEYWORDS, fb_key_from_secret_doc},
    {"generate", (PyCFunction)(void (*)(void))fb_key_generate,
     METH_CLASS | METH_VARARGS | METH_KEYWORDS, fb_key_generate_doc},
    {"from_pem", (PyCFunction)(void (*)(void))fb_key_from_pem,
     METH_CLASS | METH_VARARGS | METH_KEYWORDS, fb_key_from_pem_doc},
    {"from_der", (PyCFunction)(void (*)(void))fb_key_from_der,
     METH_CLASS | METH_VARARGS | METH_KEYWORDS, fb_key_from_der_doc},
    {"from_jwk", (PyCFunction)(void (*)(void))fb_jwk_read_key,
     METH_CLASS | METH_VARARGS | METH_KEYWORDS, fb_jwk_read_key_doc},
    {"to_pem", (PyCFunction)(void (*)(void))fb_key_to_pem,
     METH_VARARGS | METH_KEYWORDS, fb_key_to_pem_doc},
    {"to_jwk", (PyCFunction)(void (*)(void))fb_jwk_write_key,
     METH_VARARGS | METH_KEYWORDS, fb_jwk_write_key_doc},
    {"thumbprint", fb_jwk_thumbprint, METH_NOARGS, fb_jwk_thumbprint_doc},
    {"public", key_public, METH_NOARGS, public_doc},
    COPY_METHODS,
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef key_properties[] = {
    {"algorithm", key_get_algorithm, NULL,
     "The algorithm that the key signs with, as in a header.", NULL},
    {"algorithms", key_get_algorithms, NULL,
     "Those of the tokens that it verifies.\n"
     "\n"
     "Several for an RSA key of a set that names none (RFC 7517 4.4), and\n"
     "both names that an Edwards key has (RFC 8037, RFC 9864).",
     NULL},
    {"kid", key_get_kid, NULL, "The key's id, or None.", NULL},
    {"is_private", key_get_is_private, NULL,
     "Whether it has a private half; a shared secret is one.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot key_slots[] = {
    {Py_tp_doc, (void *)key_doc},
    {Py_tp_dealloc, key_dealloc},
    {Py_tp_repr, key_repr},
    {Py_tp_methods, key_methods},
    {Py_tp_getset, key_properties},
    {Py_tp_new, key_new_refused},
    {0, NULL},
};

PyType_Spec fb_key_spec = {
    .name = "fastbearer.Key",
    .basicsize = sizeof(KeyObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = key_slots,
};
