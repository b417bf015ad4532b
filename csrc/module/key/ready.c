/* The headers that a key has ready. */
#include "skin.h"

/* Ours, PyJWT's and python-jose's; npm's jose's; joserfc's. */
static const struct {
    const char *start, *end; /* of what stands around alg and kid */
} forms[HEADER_COUNT] = {
    [HEADER_JWT] = {"{\"alg\":\"", ",\"typ\":\"JWT\"}"},
    [HEADER_JWS] = {"{\"alg\":\"", "}"},
    [HEADER_TURNED] = {"{\"typ\":\"JWT\",\"alg\":\"", "}"},
};

static bool
put(json_out *text, const char *piece)
{
    return fb_json_put(text, piece, strlen(piece));
}

static PyObject *
make(const KeyObject *key, int form)
{
    json_out text;
    fb_json_out_begin(&text);
    bool ok =
        put(&text, forms[form].start) && put(&text, key->alg->name)
        && put(&text, "\"")
        && (key->kid == NULL
            || (put(&text, ",\"kid\":") && fb_json_write(&text, key->kid, 1)))
        && put(&text, forms[form].end);
    PyObject *encoded = ok ? fb_json_out_b64url(&text) : NULL;
    fb_json_out_end(&text);
    return encoded;
}

bool
fb_ready_make(KeyObject *key)
{
    bool ok = true;
    for (int i = 0; ok && i < HEADER_COUNT; i++) {
        key->headers[i] = make(key, i);
        ok = key->headers[i] != NULL;
    }
    return ok;
}
