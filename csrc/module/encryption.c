/* fastbearer._core: encryption, for the drop-ins' JWE (RFC 7516). */
#include "skin.h"

#include <openssl/crypto.h>

enum { WRAPPED_MAX = WRAP_KEY_MAX + 8 };

static bool
are_bytes(PyObject *const *args, Py_ssize_t from, Py_ssize_t count)
{
    for (Py_ssize_t i = from; i < count; i++) {
        if (!PyBytes_Check(args[i])) {
            PyErr_SetString(PyExc_TypeError, "this argument must be bytes");
            return false;
        }
    }
    return true;
}

static const unsigned char *
bytes_of(PyObject *bytes)
{
    return (const unsigned char *)PyBytes_AS_STRING(bytes);
}

static bool
has_size(PyObject *bytes, size_t size, const char *what)
{
    if ((size_t)PyBytes_GET_SIZE(bytes) == size) {
        return true;
    }
    PyErr_Format(PyExc_ValueError, "the %s must have %zu bytes", what, size);
    return false;
}

static const aead *
aead_named(PyObject *name)
{
    span text;
    const aead *found = fb_pytext_is_ascii(name, &text)
                            ? fb_aead_find(text.p, text.len)
                            : NULL;
    if (found == NULL) {
        PyErr_SetString(PyExc_ValueError, "no such content encryption");
    }
    return found;
}

static bool
wants(Py_ssize_t count, Py_ssize_t wanted)
{
    if (count != wanted) {
        PyErr_Format(PyExc_TypeError, "exactly %zd arguments are needed",
                     wanted);
    }
    return count == wanted;
}

PyDoc_STRVAR(seal_doc,
"aead_seal($module, name, key, iv, aad, text, /)\n"
"--\n"
"\n"
"Encrypt and authenticate as the content encryptions of JWE do (RFC 7518 5).\n"
"\n"
"Args:\n"
"    name: Such as \"A256GCM\" or \"A256CBC-HS512\".\n"
"    key: As many bytes as `aead_sizes` says.\n"
"    iv: As many bytes as `aead_sizes` says, never the same under one key.\n"
"    aad: What is authenticated beside the text, bytes.\n"
"    text: The plaintext, bytes.\n"
"\n"
"Returns:\n"
"    Ciphertext and tag.\n"
"\n"
"Raises:\n"
"    ValueError: The name is unknown, or the key or the iv has another size.\n"
"    TypeError: An argument is not bytes.");

static PyObject *
seal(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    core_state *state = state_of(module);
    unsigned char tag[AEAD_TAG_MAX];
    size_t len = 0;
    if (!wants(count, 5) || !are_bytes(args, 1, 5)) {
        return NULL;
    }
    const aead *with = aead_named(args[0]);
    if (with == NULL || !has_size(args[1], with->key, "key")
        || !has_size(args[2], with->iv, "iv")) {
        return NULL;
    }
    PyObject *made = PyBytes_FromStringAndSize(NULL, PyBytes_GET_SIZE(args[4])
                                                         + AEAD_BLOCK);
    if (made == NULL) {
        return NULL;
    }
    status result = fb_aead_seal(
        with, &state->digests, bytes_of(args[1]), bytes_of(args[2]),
        fb_pytext_bytes(args[3]), fb_pytext_bytes(args[4]),
        (unsigned char *)PyBytes_AS_STRING(made), &len, tag);
    if (result != STATUS_OK) {
        Py_DECREF(made);
        return fb_raise_status(state, result);
    }
    if (_PyBytes_Resize(&made, (Py_ssize_t)len) < 0) {
        return NULL;
    }
    return Py_BuildValue("Ny#", made, (char *)tag, (Py_ssize_t)with->tag);
}

PyDoc_STRVAR(open_doc,
"aead_open($module, name, key, iv, aad, text, tag, /)\n"
"--\n"
"\n"
"Return the plaintext, which `aead_seal` has encrypted.\n"
"\n"
"Raises:\n"
"    InvalidSignatureError: Anything was altered, or the key is another one.\n"
"    ValueError: The name is unknown, or the key or the iv has another size.\n"
"    TypeError: An argument is not bytes.");

static PyObject *
open_sealed(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    core_state *state = state_of(module);
    size_t len = 0;
    if (!wants(count, 6) || !are_bytes(args, 1, 6)) {
        return NULL;
    }
    const aead *with = aead_named(args[0]);
    if (with == NULL || !has_size(args[1], with->key, "key")
        || !has_size(args[2], with->iv, "iv")) {
        return NULL;
    }
    if ((size_t)PyBytes_GET_SIZE(args[5]) != with->tag) {
        return fb_raise_status(state, STATUS_SIGNATURE_WRONG);
    }
    PyObject *made = PyBytes_FromStringAndSize(NULL, PyBytes_GET_SIZE(args[4])
                                                         + AEAD_BLOCK);
    if (made == NULL) {
        return NULL;
    }
    status result = fb_aead_open(
        with, &state->digests, bytes_of(args[1]), bytes_of(args[2]),
        fb_pytext_bytes(args[3]), fb_pytext_bytes(args[4]), bytes_of(args[5]),
        (unsigned char *)PyBytes_AS_STRING(made), &len);
    if (result != STATUS_OK) {
        Py_DECREF(made);
        return fb_raise_status(state, result);
    }
    return _PyBytes_Resize(&made, (Py_ssize_t)len) < 0 ? NULL : made;
}

PyDoc_STRVAR(sizes_doc,
"aead_sizes($module, name, /)\n"
"--\n"
"\n"
"Return how many bytes key and iv have (RFC 7518 5.1).\n"
"\n"
"Raises:\n"
"    ValueError: There is no content encryption of that name.");

static PyObject *
sizes(PyObject *Py_UNUSED(module), PyObject *name)
{
    const aead *with = aead_named(name);
    return with == NULL ? NULL
                        : Py_BuildValue("nn", (Py_ssize_t)with->key,
                                        (Py_ssize_t)with->iv);
}

typedef CHECKED status (*key_crypt)(span kek, span key, unsigned char *out);

static PyObject *
wrap_with(PyObject *module, PyObject *const *args, Py_ssize_t count,
          key_crypt crypt, Py_ssize_t more)
{
    core_state *state = state_of(module);
    unsigned char out[WRAPPED_MAX];
    if (!wants(count, 2) || !are_bytes(args, 0, 2)) {
        return NULL;
    }
    status result =
        crypt(fb_pytext_bytes(args[0]), fb_pytext_bytes(args[1]), out);
    Py_ssize_t size = PyBytes_GET_SIZE(args[1]) + more;
    PyObject *made = result == STATUS_OK
                         ? PyBytes_FromStringAndSize((char *)out, size)
                         : fb_raise_status(state, result);
    OPENSSL_cleanse(out, sizeof out);
    return made;
}

PyDoc_STRVAR(wrap_doc,
"aes_wrap($module, kek, key, /)\n"
"--\n"
"\n"
"Return a key, encrypted with AES key wrap (RFC 3394).\n"
"\n"
"Args:\n"
"    kek: The key that encrypts it: 16, 24 or 32 bytes.\n"
"    key: The key, of 16 to 64 bytes, a multiple of 8.\n"
"\n"
"Returns:\n"
"    Eight bytes more than the key has.\n"
"\n"
"Raises:\n"
"    FastbearerError: A size is none of these.\n"
"    TypeError: An argument is not bytes.");

static PyObject *
wrap(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    return wrap_with(module, args, count, fb_key_wrap_aes, 8);
}

PyDoc_STRVAR(unwrap_doc,
"aes_unwrap($module, kek, wrapped, /)\n"
"--\n"
"\n"
"Return the key that `aes_wrap` has encrypted.\n"
"\n"
"Raises:\n"
"    InvalidSignatureError: It was altered, or encrypted with another key.\n"
"    TypeError: An argument is not bytes.");

static PyObject *
unwrap(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    return wrap_with(module, args, count, fb_key_unwrap_aes, -8);
}

typedef CHECKED status (*rsa_crypt)(EVP_PKEY *evp, bool sha256, span text,
                                    unsigned char *out, size_t *out_len);

static PyObject *
oaep_with(PyObject *module, PyObject *const *args, Py_ssize_t count,
          rsa_crypt crypt)
{
    core_state *state = state_of(module);
    unsigned char out[RSA_BYTES_MAX];
    size_t len = 0;
    if (!wants(count, 3) || !are_bytes(args, 2, 3)) {
        return NULL;
    }
    const KeyObject *key = (KeyObject *)args[0];
    if (!Py_IS_TYPE(args[0], state->key_type) || key->alg->kind != KIND_RSA) {
        PyErr_SetString(PyExc_TypeError, "this argument must be an RSA Key");
        return NULL;
    }
    int sha256 = PyObject_IsTrue(args[1]);
    if (sha256 < 0) {
        return NULL;
    }
    status result =
        crypt(key->pkey.evp, sha256 != 0, fb_pytext_bytes(args[2]), out, &len);
    PyObject *made =
        result == STATUS_OK
            ? PyBytes_FromStringAndSize((char *)out, (Py_ssize_t)len)
            : fb_raise_status(state, result);
    OPENSSL_cleanse(out, sizeof out);
    return made;
}

PyDoc_STRVAR(oaep_seal_doc,
"rsa_oaep_seal($module, key, sha256, text, /)\n"
"--\n"
"\n"
"Return bytes, encrypted for an RSA key with OAEP (RFC 7518 4.3).\n"
"\n"
"Args:\n"
"    key: An RSA Key, of which the public half is used.\n"
"    sha256: Whether OAEP hashes with SHA-256, or else with SHA-1.\n"
"    text: Bytes, at most 66 (SHA-1: 42) fewer than the modulus has.\n"
"\n"
"Raises:\n"
"    FastbearerError: The text is too long.\n"
"    TypeError: The key is not an RSA Key, or the text is not bytes.");

static PyObject *
oaep_seal(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    return oaep_with(module, args, count, fb_key_wrap_oaep);
}

PyDoc_STRVAR(oaep_open_doc,
"rsa_oaep_open($module, key, sha256, text, /)\n"
"--\n"
"\n"
"Return the text that `rsa_oaep_seal` has encrypted.\n"
"\n"
"Raises:\n"
"    InvalidSignatureError: It was altered, or the key is another one.\n"
"    TypeError: The key is not an RSA Key, or the text is not bytes.");

static PyObject *
oaep_open(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    return oaep_with(module, args, count, fb_key_unwrap_oaep);
}

#define METHOD(name, function, doc)                                           \
    {                                                                         \
        name, (PyCFunction)(void (*)(void))function, METH_FASTCALL, doc       \
    }

PyMethodDef fb_encryption_methods[] = {
    METHOD("aead_seal", seal, seal_doc),
    METHOD("aead_open", open_sealed, open_doc),
    {"aead_sizes", sizes, METH_O, sizes_doc},
    METHOD("aes_wrap", wrap, wrap_doc),
    METHOD("aes_unwrap", unwrap, unwrap_doc),
    METHOD("rsa_oaep_seal", oaep_seal, oaep_seal_doc),
    METHOD("rsa_oaep_open", oaep_open, oaep_open_doc),
    {NULL, NULL, 0, NULL},
};
