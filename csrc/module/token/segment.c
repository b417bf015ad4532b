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

/* The text of a segment, with the zeros that shapes need. */
typedef struct {
    unsigned char *json, local[LOCAL_MAX + SHAPE_HEAD];
    span text;
} decoded;

CHECKED static status
decode(span segment, decoded *out)
{
    size_t len = fb_b64url_decoded(segment.len), size = len + SHAPE_HEAD;
    out->json = size <= sizeof out->local ? out->local : PyMem_Malloc(size);
    if (out->json == NULL) {
        return STATUS_NO_MEMORY;
    }
    memset(out->json + len, 0, SHAPE_HEAD);
    out->text = (span){(char *)out->json, len};
    return fb_b64url_decode(segment.p, segment.len, out->json)
               ? STATUS_OK
               : STATUS_TOKEN_BASE64;
}

static void
decoded_free(decoded *one)
{
    if (one->json != one->local) {
        PyMem_Free(one->json);
    }
}

PyObject *
fb_segment_object(const core_state *state, span segment, json_shapes *learned,
                  known_members *known)
{
    decoded one;
    status result = decode(segment, &one);
    PyObject *object =
        result == STATUS_OK
            ? fb_json_read_object(state, one.text, learned, known)
            : fb_raise_status(state, result);
    decoded_free(&one);
    return object;
}

void
fb_segment_learn(const core_state *state, span segment, json_shapes *learned)
{
    decoded one;
    if (decode(segment, &one) == STATUS_OK) {
        fb_json_learn(state, one.text, learned);
    }
    decoded_free(&one);
}
