/* A segment of a token: its bytes, or the JSON object that they are. */
#include "skin.h"

#include "token/token.h"

#define LOCAL_MAX 2048 /* bytes: most segments fit */

PyObject *
fb_segment_bytes(const core_state *state, span segment)
{
    PyObject *bytes = PyBytes_FromStringAndSize(
        NULL, (Py_ssize_t)fb_b64url_decoded(segment.len));
    if (bytes != NULL
        && !fb_b64url_decode(segment.p, segment.len,
                             (unsigned char *)PyBytes_AS_STRING(bytes))) {
        Py_CLEAR(bytes);
        fb_raise_status(state, STATUS_TOKEN_BASE64);
    }
    return bytes;
}

PyObject *
fb_segment_object(const core_state *state, span segment, json_shapes *learned,
                  known_members *known)
{
    unsigned char local[LOCAL_MAX + SHAPE_HEAD];
    size_t len = fb_b64url_decoded(segment.len), size = len + SHAPE_HEAD;
    unsigned char *json = size <= sizeof local ? local : PyMem_Malloc(size);
    PyObject *object = NULL;
    if (json == NULL) {
        return PyErr_NoMemory();
    }
    memset(json + len, 0, SHAPE_HEAD);
    if (fb_b64url_decode(segment.p, segment.len, json)) {
        object = fb_json_read_object(state, (span){(char *)json, len}, learned,
                                     known);
    } else {
        fb_raise_status(state, STATUS_TOKEN_BASE64);
    }
    if (json != local) {
        PyMem_Free(json);
    }
    return object;
}
