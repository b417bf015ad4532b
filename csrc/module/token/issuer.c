/* Who says to have issued a token, before anything of it is believed. */
#include "skin.h"

#define LOCAL_MAX 2048  /* bytes: most payloads fit */
#define BYTES_MAX 16384 /* of a token, as in a Verifier */

/* The text of the payload's one `iss`, in `json`, which has room for the
 * decoded payload. */
static bool
find(span payload, char *json, json_cursor *found)
{
    span text = {json, fb_b64url_decoded(payload.len)};
    if (!fb_b64url_decode(payload.p, payload.len, (unsigned char *)json)
        || !fb_json_find_string(text, (span){"iss", 3}, found)) {
        return false;
    }
    if (found->is_escaped) {
        char *start = json + (found->text.p - json);
        found->text.len = fb_json_unescape(found->text, start);
    }
    return true;
}

static PyObject *
make(const json_cursor *found)
{
    if (found->is_escaped || !found->is_ascii) {
        return PyUnicode_DecodeUTF8(found->text.p, (Py_ssize_t)found->text.len,
                                    NULL);
    }
    PyObject *made = PyUnicode_New((Py_ssize_t)found->text.len, 127);
    if (made != NULL) {
        memcpy(PyUnicode_1BYTE_DATA(made), found->text.p, found->text.len);
    }
    return made;
}

/* RFC 7519 4.1.1: a string, or None for all else. */
static PyObject *
issuer_of(span payload)
{
    char local[LOCAL_MAX];
    size_t len = fb_b64url_decoded(payload.len);
    char *json = len <= sizeof local ? local : PyMem_Malloc(len);
    json_cursor found;
    if (json == NULL) {
        return PyErr_NoMemory();
    }
    PyObject *issuer =
        find(payload, json, &found) ? make(&found) : Py_NewRef(Py_None);
    if (json != local) {
        PyMem_Free(json);
    }
    return issuer;
}

/* Borrows the token's text; false, without an exception, for what cannot be a
 * token, and with a TypeError for what is not text. */
static bool
borrow(PyObject *value, span *text)
{
    if (PyBytes_Check(value)) {
        *text = fb_pytext_bytes(value);
        return true;
    }
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError,
                     "a token must be str or bytes, not %.100s",
                     Py_TYPE(value)->tp_name);
    }
    return fb_pytext_is_ascii(value, text);
}

PyDoc_STRVAR(unverified_issuer_doc,
"unverified_issuer($module, token, max_bytes=16384, /)\n"
"--\n"
"\n"
"Return the `iss` of a token's payload as anybody could have written it.\n"
"\n"
"It serves to choose the issuer whose verifier then judges the token (RFC\n"
"8725 3.8), and nothing else: no signature is checked. None stands for a\n"
"token that is longer than max_bytes, has not three segments, or whose\n"
"payload is not a strict JSON object with one `iss`, a string. Padding\n"
"is passed over, and the header is not looked at; both are the verifier's to\n"
"judge. Linear in time.\n"
"\n"
"Raises:\n"
"    TypeError: The token is neither str nor bytes, or max_bytes no int.");

static PyObject *
unverified_issuer(PyObject *Py_UNUSED(module), PyObject *const *args,
                  Py_ssize_t count)
{
    span text;
    token parts;
    Py_ssize_t max_bytes = BYTES_MAX;
    if (count < 1 || count > 2 || (count == 2 && !PyLong_Check(args[1]))) {
        PyErr_SetString(PyExc_TypeError,
                        "unverified_issuer() takes a token and max_bytes");
        return NULL;
    }
    if (count == 2) { /* one beyond the range is as good as its end */
        max_bytes = PyNumber_AsSsize_t(args[1], NULL);
    }
    if (!borrow(args[0], &text)) {
        return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    }
    if (max_bytes < 0 || text.len > (size_t)max_bytes
        || fb_compact_split(text, true, &parts) != STATUS_OK) {
        return Py_NewRef(Py_None);
    }
    return issuer_of(parts.payload);
}

PyMethodDef fb_issuer_methods[] = {
    {"unverified_issuer", (PyCFunction)(void (*)(void))unverified_issuer,
     METH_FASTCALL, unverified_issuer_doc},
    {NULL, NULL, 0, NULL},
};
