/* Bare signatures, base64url and JSON, for those who put tokens together
 * differently. */
#include "skin.h"

#include "token/token.h"

PyDoc_STRVAR(raw_sign_doc,
"raw_sign($module, message, key, /)\n"
"--\n"
"\n"
"Return the bare signature of any bytes, as a JWS has it (RFC 7518 3).\n"
"\n"
"Raises:\n"
"    InvalidKeyError: The key is a public one.\n"
"    TypeError: The message is not bytes, or the key is not a Key.");

static PyObject *
raw_sign(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    core_state *state = state_of(module);
    unsigned char made[SIGNATURE_MAX];
    if (count != 2 || !PyBytes_Check(args[0])
        || !Py_IS_TYPE(args[1], state->key_type)) {
        PyErr_SetString(PyExc_TypeError, "raw_sign() takes bytes and a Key");
        return NULL;
    }
    const KeyObject *key = (KeyObject *)args[1];
    if (!fb_key_can_sign(state, key)) {
        return NULL;
    }
    span message = fb_pytext_bytes(args[0]);
    status result = fb_signature_make(key, message, made);
    Py_ssize_t size = (Py_ssize_t)key->signature;
    return result == STATUS_OK ? PyBytes_FromStringAndSize((char *)made, size)
                               : fb_raise_status(state, result);
}

PyDoc_STRVAR(raw_verify_doc,
"raw_verify($module, message, signature, key, /)\n"
"--\n"
"\n"
"Return whether a bare signature is right, in constant time.\n"
"\n"
"Raises:\n"
"    TypeError: Message or signature is not bytes, or the key is not a Key.");

static PyObject *
raw_verify(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    core_state *state = state_of(module);
    if (count != 3 || !PyBytes_Check(args[0]) || !PyBytes_Check(args[1])
        || !Py_IS_TYPE(args[2], state->key_type)) {
        PyErr_SetString(PyExc_TypeError,
                        "raw_verify() takes bytes, bytes and a Key");
        return NULL;
    }
    span message = fb_pytext_bytes(args[0]);
    span claimed = fb_pytext_bytes(args[1]);
    status result = fb_signature_matches(
        (KeyObject *)args[2], ((KeyObject *)args[2])->alg, message, claimed);
    if (result == STATUS_OK) {
        Py_RETURN_TRUE;
    }
    if (result == STATUS_SIGNATURE_WRONG) {
        Py_RETURN_FALSE;
    }
    return fb_raise_status(state, result);
}

PyDoc_STRVAR(base64url_doc,
"base64url_bytes($module, text, /)\n"
"--\n"
"\n"
"Return the bytes that strict base64url stands for (RFC 7515 2).\n"
"\n"
"Args:\n"
"    text: Without padding; str or bytes.\n"
"\n"
"Raises:\n"
"    MalformedTokenError: It has padding, spaces, foreign characters, or\n"
"        trailing bits that are not zero.\n"
"    TypeError: The text is neither str nor bytes.");

static PyObject *
base64url_bytes(PyObject *module, PyObject *value)
{
    core_state *state = state_of(module);
    span text;
    return fb_pytext_ascii(state, "a token", value, STATUS_TOKEN_BASE64, &text)
               ? fb_segment_bytes(state, text)
               : NULL;
}

PyDoc_STRVAR(json_object_doc,
"json_object($module, text, /)\n"
"--\n"
"\n"
"Return the dict of a strict JSON text (RFC 8259, RFC 7493 2).\n"
"\n"
"Args:\n"
"    text: A str, or bytes in UTF-8; at most 32 levels.\n"
"\n"
"Raises:\n"
"    MalformedTokenError: It is not one object, or can be read in two ways.\n"
"    TypeError: The text is neither str nor bytes.");

static PyObject *
json_object(PyObject *module, PyObject *value)
{
    core_state *state = state_of(module);
    known_members known;
    span text;
    return fb_pytext_utf8(state, "text", value, STATUS_JSON_SURROGATE, &text)
               ? fb_json_read_object(state, text, NULL, &known)
               : NULL;
}

PyDoc_STRVAR(json_secrets_doc,
"json_secrets($module, text, kept, /)\n"
"--\n"
"\n"
"Read JSON like json_object, but keep what json_wipe() shall wipe.\n"
"\n"
"Args:\n"
"    text: As for json_object.\n"
"    kept: A list, to which its strings and dicts are added, even if the\n"
"        text is refused.\n"
"\n"
"Raises:\n"
"    MalformedTokenError: It is not one object, or can be read in two ways.\n"
"    TypeError: The text is neither str nor bytes, or kept is no list.");

static PyObject *
json_secrets(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    core_state *state = state_of(module);
    span text;
    if (count != 2 || !PyList_CheckExact(args[1])) {
        PyErr_SetString(PyExc_TypeError,
                        "json_secrets() takes a text and a list");
        return NULL;
    }
    return fb_pytext_utf8(state, "text", args[0], STATUS_JSON_SURROGATE, &text)
               ? fb_json_read_secrets(state, text, args[1])
               : NULL;
}

PyDoc_STRVAR(json_wipe_doc,
"json_wipe($module, kept, /)\n"
"--\n"
"\n"
"Empty the dicts of a list, then wipe its strings that nobody else has.\n"
"\n"
"Args:\n"
"    kept: What json_secrets() has filled.\n"
"\n"
"Raises:\n"
"    TypeError: It is no list.");

static PyObject *
json_wipe(PyObject *Py_UNUSED(module), PyObject *kept)
{
    if (!PyList_CheckExact(kept)) {
        PyErr_SetString(PyExc_TypeError, "json_wipe() takes a list");
        return NULL;
    }
    fb_secret_text_wipe(kept);
    return Py_NewRef(Py_None);
}

PyMethodDef fb_raw_methods[] = {
    {"raw_sign", (PyCFunction)(void (*)(void))raw_sign, METH_FASTCALL,
     raw_sign_doc},
    {"raw_verify", (PyCFunction)(void (*)(void))raw_verify, METH_FASTCALL,
     raw_verify_doc},
    {"base64url_bytes", base64url_bytes, METH_O, base64url_doc},
    {"json_object", json_object, METH_O, json_object_doc},
    {"json_secrets", (PyCFunction)(void (*)(void))json_secrets, METH_FASTCALL,
     json_secrets_doc},
    {"json_wipe", json_wipe, METH_O, json_wipe_doc},
    {NULL, NULL, 0, NULL},
};
