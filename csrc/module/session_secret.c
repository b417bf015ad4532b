/* SessionSecret: what a Better Auth server's cookies are signed and sealed
 * with. */
#include "skin.h"

#include <openssl/crypto.h>

typedef struct {
    PyObject_HEAD
    core_state *state;
    session_secret secret;
} SecretObject;

static PyObject *
object_from(const core_state *state, span text)
{
    known_members unused;
    return fb_json_read_object(state, text, NULL, &unused);
}

/* --- session_token ------------------------------------------------------- */

PyDoc_STRVAR(is_token_doc,
"is_token(value, /)\n"
"--\n"
"\n"
"Tell whether a value is a session token: 32 letters and digits.");

static PyObject *
is_token(PyObject *Py_UNUSED(type), PyObject *value)
{
    Py_ssize_t size;
    const char *text;
    if (!PyUnicode_Check(value) || !PyUnicode_IS_ASCII(value)) {
        Py_RETURN_FALSE;
    }
    text = PyUnicode_AsUTF8AndSize(value, &size);
    if (text == NULL) {
        return NULL;
    }
    return PyBool_FromLong(
        fb_session_token_is_one((span){text, (size_t)size}));
}

PyDoc_STRVAR(sign_token_doc,
"sign_token($self, token, /)\n"
"--\n"
"\n"
"Return token, dot and signature, as in the cookie `session_token`.\n"
"\n"
"Raises:\n"
"    ValueError: The token is not 32 letters and digits.");

static PyObject *
sign_token(PyObject *self, PyObject *value)
{
    const SecretObject *object = (SecretObject *)self;
    char made[SESSION_SIGNED];
    span text;
    if (!PyUnicode_Check(value)
        || !fb_pytext_ascii(object->state, "a token", value,
                            STATUS_TOKEN_BASE64, &text)
        || !fb_session_token_is_one(text)) {
        PyErr_SetString(PyExc_ValueError,
                        "a session token is 32 letters and digits");
        return NULL;
    }
    memcpy(made, text.p, SESSION_TOKEN);
    made[SESSION_TOKEN] = '.';
    status result =
        fb_session_token_sign(&object->secret, made, made + SESSION_TOKEN + 1);
    if (result != STATUS_OK) {
        return fb_raise_status(object->state, result);
    }
    return PyUnicode_FromStringAndSize(made, sizeof made);
}

PyDoc_STRVAR(read_token_doc,
"read_token($self, value, /)\n"
"--\n"
"\n"
"Return the token of a signed value, which may be escaped and quoted.\n"
"\n"
"Raises:\n"
"    MalformedTokenError: It is not token, dot and signature.\n"
"    InvalidSignatureError: Another secret has signed it.\n"
"    TypeError: The value is neither str nor bytes.");

static PyObject *
read_token(PyObject *self, PyObject *value)
{
    const SecretObject *object = (SecretObject *)self;
    char plain[SESSION_TOKEN];
    span text;
    if (!fb_pytext_ascii(object->state, "a token", value, STATUS_TOKEN_BASE64,
                         &text)) {
        return NULL;
    }
    status result = fb_session_token_read(&object->secret, text, plain);
    return result == STATUS_OK
               ? PyUnicode_FromStringAndSize(plain, sizeof plain)
               : fb_raise_status(object->state, result);
}

/* --- session_data -------------------------------------------------------- */

PyDoc_STRVAR(read_compact_doc,
"read_compact($self, value, /)\n"
"--\n"
"\n"
"Return the payload of signed session data (strategy \"compact\").\n"
"\n"
"Returns:\n"
"    The payload, and its end in milliseconds since the epoch.\n"
"\n"
"Raises:\n"
"    MalformedTokenError: It is not such a value, or not strict JSON.\n"
"    InvalidSignatureError: Another secret has signed it.\n"
"    TypeError: The value is neither str nor bytes.");

static PyObject *
read_compact(PyObject *self, PyObject *value)
{
    const SecretObject *object = (SecretObject *)self;
    PyObject *payload = NULL;
    int64_t expires_at = 0;
    span text, inner;
    if (!fb_pytext_ascii(object->state, "a token", value, STATUS_TOKEN_BASE64,
                         &text)) {
        return NULL;
    }
    size_t len = fb_b64url_decoded(text.len);
    char *json = PyMem_Malloc(len + 1);
    if (json == NULL) {
        return PyErr_NoMemory();
    }
    status result = !fb_b64url_decode(text.p, text.len, (unsigned char *)json)
                        ? STATUS_TOKEN_BASE64
                        : fb_session_compact_read(&object->secret, json, len,
                                                  &inner, &expires_at);
    payload = result == STATUS_OK ? object_from(object->state, inner)
                                  : fb_raise_status(object->state, result);
    PyMem_Free(json);
    return payload == NULL
               ? NULL
               : Py_BuildValue("NL", payload, (long long)expires_at);
}

PyDoc_STRVAR(is_sealed_doc,
"is_sealed_with($self, value, /)\n"
"--\n"
"\n"
"Tell whether sealed session data names this secret as its key.\n"
"\n"
"Raises:\n"
"    MalformedTokenError: The value has characters that are not ASCII.\n"
"    TypeError: The value is neither str nor bytes.");

static PyObject *
is_sealed_with(PyObject *self, PyObject *value)
{
    const SecretObject *object = (SecretObject *)self;
    span text;
    if (!fb_pytext_ascii(object->state, "a token", value, STATUS_TOKEN_BASE64,
                         &text)) {
        return NULL;
    }
    return PyBool_FromLong(fb_session_is_sealed_with(&object->secret, text));
}

PyDoc_STRVAR(open_doc,
"open($self, value, /)\n"
"--\n"
"\n"
"Return the object that is sealed in session data (strategy \"jwe\").\n"
"\n"
"Raises:\n"
"    UnknownKeyError: It names another secret, or has another form.\n"
"    InvalidSignatureError: It was altered.\n"
"    MalformedTokenError: What is inside is not a strict JSON object.\n"
"    TypeError: The value is neither str nor bytes.");

static PyObject *
open_sealed(PyObject *self, PyObject *value)
{
    const SecretObject *object = (SecretObject *)self;
    const core_state *state = object->state;
    span text, inner;
    if (!fb_pytext_ascii(state, "a token", value, STATUS_TOKEN_BASE64,
                         &text)) {
        return NULL;
    }
    if (!fb_session_is_sealed_with(&object->secret, text)) {
        return fb_raise_status(state, STATUS_SESSION_KEY);
    }
    size_t size = 2 * text.len + AEAD_BLOCK;
    unsigned char *scratch = PyMem_Malloc(size);
    if (scratch == NULL) {
        return PyErr_NoMemory();
    }
    status result = fb_session_open(&object->secret, text, scratch, &inner);
    PyObject *found = result == STATUS_OK ? object_from(state, inner)
                                          : fb_raise_status(state, result);
    OPENSSL_cleanse(scratch, size);
    PyMem_Free(scratch);
    return found;
}

PyDoc_STRVAR(seal_doc,
"seal($self, text, /)\n"
"--\n"
"\n"
"Return JSON text, sealed as a JWE (RFC 7516) with A256CBC-HS512.\n"
"\n"
"Raises:\n"
"    TypeError: The text is not bytes.");

static PyObject *
seal(PyObject *self, PyObject *bytes)
{
    const SecretObject *object = (SecretObject *)self;
    PyObject *made = NULL;
    size_t len = 0;
    if (!PyBytes_Check(bytes)) {
        PyErr_SetString(PyExc_TypeError, "the text must be bytes");
        return NULL;
    }
    span text = fb_pytext_bytes(bytes);
    size_t size = text.len + AEAD_BLOCK;
    unsigned char *scratch = PyMem_Malloc(size);
    char *value = PyMem_Malloc(fb_session_sealed(&object->secret, text.len));
    if (scratch == NULL || value == NULL) {
        PyErr_NoMemory();
    } else {
        status result =
            fb_session_seal(&object->secret, &object->state->digests, text,
                            scratch, value, &len);
        made = result == STATUS_OK
                   ? PyUnicode_FromStringAndSize(value, (Py_ssize_t)len)
                   : fb_raise_status(object->state, result);
    }
    PyMem_Free(scratch);
    PyMem_Free(value);
    return made;
}

/* --- the type ------------------------------------------------------------ */

PyDoc_STRVAR(secret_doc,
"SessionSecret(secret, /)\n"
"--\n"
"\n"
"A Better Auth server's secret, prepared. Immutable.\n"
"\n"
"Args:\n"
"    secret: A str is taken as UTF-8, bytes as they are.\n"
"\n"
"Raises:\n"
"    InvalidKeyError: The secret holds a lone surrogate.\n"
"    TypeError: The secret is neither str nor bytes.");

static PyObject *
make_secret(PyObject *class, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"", NULL};
    PyTypeObject *type = (PyTypeObject *)class;
    core_state *state = PyType_GetModuleState(type);
    PyObject *value;
    span text;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:SessionSecret", keywords,
                                     &value)
        || !fb_pytext_utf8(state, "secret", value, STATUS_KEY_UNICODE,
                           &text)) {
        return NULL;
    }
    SecretObject *self = (SecretObject *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->state = state;
    status result =
        fb_session_secret_init(&self->secret, &state->digests, text);
    if (result != STATUS_OK) {
        Py_DECREF(self);
        return fb_raise_status(state, result);
    }
    return (PyObject *)self;
}

static PyObject *
secret_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return fb_option_hold(make_secret, (PyObject *)type, args, kwargs);
}

static void
secret_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    fb_session_secret_clear(&((SecretObject *)self)->secret);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef secret_methods[] = {
    {"is_token", is_token, METH_O | METH_STATIC, is_token_doc},
    {"sign_token", sign_token, METH_O, sign_token_doc},
    {"read_token", read_token, METH_O, read_token_doc},
    {"read_compact", read_compact, METH_O, read_compact_doc},
    {"is_sealed_with", is_sealed_with, METH_O, is_sealed_doc},
    {"open", open_sealed, METH_O, open_doc},
    {"seal", seal, METH_O, seal_doc},
    COPY_METHODS,
    {NULL, NULL, 0, NULL},
};

static PyType_Slot secret_slots[] = {
    {Py_tp_doc, (void *)secret_doc},
    {Py_tp_new, secret_new},
    {Py_tp_dealloc, secret_dealloc},
    {Py_tp_methods, secret_methods},
    {0, NULL},
};

PyType_Spec fb_session_secret_spec = {
    .name = "fastbearer._core.SessionSecret",
    .basicsize = sizeof(SecretObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = secret_slots,
};
