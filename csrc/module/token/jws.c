/* Functions for signed text of any kind (RFC 7515), without claims. */
#include "skin.h"

#include "token/token.h"

PyDoc_STRVAR(sign_doc,
"jws_sign($module, payload, key, headers, /)\n"
"--\n"
"\n"
"Return the compact JWS of a payload; see fastbearer.jws.sign.\n"
"\n"
"Raises:\n"
"    InvalidKeyError: The key is a public one.\n"
"    TypeError: An argument has the wrong type.\n"
"    ValueError: A header that a verifier would refuse.");

static PyObject *
jws_sign(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    core_state *state = state_of(module);
    if (count == 3 && !Py_IS_TYPE(args[1], state->key_type)) {
        return fb_key_is_needed("what signs", args[1]);
    }
    if (count != 3 || !PyBytes_Check(args[0])) {
        PyErr_SetString(PyExc_TypeError,
                        "sign() takes a payload of bytes and a Key");
        return NULL;
    }
    const KeyObject *key = (KeyObject *)args[1];
    PyObject *encoded = fb_key_can_sign(state, key)
                            ? fb_header_make(state, key, args[2], HEADER_JWS)
                            : NULL;
    PyObject *made = NULL;
    if (encoded != NULL) {
        span payload = fb_pytext_bytes(args[0]);
        made = fb_signature_sign(state, key, encoded, payload);
        Py_DECREF(encoded);
    }
    return made;
}

PyDoc_STRVAR(verify_doc,
"jws_verify($module, token, keys, /)\n"
"--\n"
"\n"
"Return the payload of a compact JWS; see fastbearer.jws.verify.\n"
"\n"
"Raises:\n"
"    TokenError: The token was not accepted; the subclass says why.\n"
"    TypeError: The token is neither str nor bytes, or a key is not a Key.");

static PyObject *
jws_verify(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    core_state *state = state_of(module);
    PyObject *keys = NULL, *payload = NULL;
    header head = {0};
    span text;
    token parts;
    status result;
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "verify() takes a token and a key");
        return NULL;
    }
    keys = fb_key_tuple(state, args[1]);
    if (keys == NULL
        || !fb_pytext_ascii(state, "a token", args[0], STATUS_TOKEN_BASE64,
                            &text)) {
        goto done;
    }
    result = fb_compact_split(text, false, &parts);
    if (result != STATUS_OK) {
        fb_raise_status(state, result);
        goto done;
    }
    if (!fb_header_read(state, keys, parts.header, &fb_typ_any, false,
                        &head)) {
        goto done;
    }
    result = fb_signature_verify(keys, &head, &parts);
    if (result != STATUS_OK) {
        fb_raise_status(state, result);
        goto done;
    }
    payload = fb_segment_bytes(state, parts.payload);
done:
    Py_XDECREF(head.parsed);
    Py_XDECREF(keys);
    return payload;
}

PyDoc_STRVAR(unverified_header_doc,
"unverified_header($module, token, /)\n"
"--\n"
"\n"
"Return a token's header as anybody could have written it.\n"
"\n"
"No signature is checked, so nothing in it may be trusted: it serves to\n"
"explain a refusal, or to choose between verifiers, each of which then\n"
"verifies for itself (RFC 8725 3.1).\n"
"\n"
"Args:\n"
"    token: A compact JWS, str or bytes.\n"
"\n"
"Raises:\n"
"    MalformedTokenError: Not three segments, or the header's JSON is not\n"
"        strict.\n"
"    TypeError: The argument is neither str nor bytes.");

static PyObject *
unverified_header(PyObject *module, PyObject *value)
{
    core_state *state = state_of(module);
    span text;
    token parts;
    known_members known;
    if (!fb_pytext_ascii(state, "a token", value, STATUS_TOKEN_BASE64,
                         &text)) {
        return NULL;
    }
    status result = fb_compact_split(text, false, &parts);
    return result == STATUS_OK
               ? fb_segment_object(state, parts.header, NULL, &known)
               : fb_raise_status(state, result);
}

PyMethodDef fb_jws_methods[] = {
    {"jws_sign", (PyCFunction)(void (*)(void))jws_sign, METH_FASTCALL,
     sign_doc},
    {"jws_verify", (PyCFunction)(void (*)(void))jws_verify, METH_FASTCALL,
     verify_doc},
    {"unverified_header", unverified_header, METH_O, unverified_header_doc},
    {NULL, NULL, 0, NULL},
};
