/* Verifier: from a compact token to its claims. */
#include "skin.h"

#include "token/token.h"

typedef struct {
    PyObject_HEAD
    core_state *state;
    PyObject *keys; /* tuple of Key */
    alg_set algorithms;
    typ_rules typ;
    claims_rules rules;
    signature_cache cache;
    json_shapes learned;
    size_t max_bytes;
    bool allow_padding;
} VerifierObject;

/* --- verifying ----------------------------------------------------------- */

CHECKED static status
check_signature(VerifierObject *self, PyObject *value, const header *head,
                const token *parts)
{
    if (!ALG_IS_OF(head->alg, self->algorithms)) {
        return STATUS_ALG_NOT_ALLOWED;
    }
    if (fb_cache_has(&self->cache, value)) {
        return STATUS_OK;
    }
    status result = fb_signature_verify(self->keys, head, parts);
    if (result == STATUS_OK) {
        fb_cache_add(&self->cache, value);
    }
    return result;
}

/* Everything that a token goes through, in this order. With `whole`, the
 * caller gets head->parsed. */
static PyObject *
verify(VerifierObject *self, PyObject *value, bool whole, header *head)
{
    const core_state *state = self->state;
    PyObject *claims = NULL;
    double now;
    span text;
    token parts;
    known_members known;
    status result = STATUS_TOKEN_TOO_LONG;

    if (!fb_pytext_ascii(state, "a token", value, STATUS_TOKEN_BASE64,
                         &text)) {
        return NULL;
    }
    if (text.len <= self->max_bytes) {
        result = fb_compact_split(text, self->allow_padding, &parts);
    }
    if (result != STATUS_OK) {
        return fb_raise_status(state, result);
    }
    if (!fb_header_read(state, self->keys, parts.header, &self->typ, whole,
                        head)) {
        return NULL;
    }
    result = check_signature(self, value, head, &parts);
    if (result != STATUS_OK) {
        return fb_raise_status(state, result);
    }
    /* A clock runs code of its own: before there is anything to borrow. */
    if (!fb_option_clock_read(self->rules.clock, &now)) {
        return NULL;
    }
    /* The payload's JSON, read only now that its signature has passed. */
    claims = fb_segment_object(state, parts.payload, &self->learned, &known);
    if (claims != NULL
        && !fb_claims_check(state, &self->rules, claims, &known, now)) {
        Py_CLEAR(claims);
    }
    /* What is refused, teaches nothing: there is room for few shapes. */
    if (claims != NULL && known.is_new) {
        fb_segment_learn(state, parts.payload, &self->learned);
    }
    return claims;
}

PyDoc_STRVAR(verify_doc,
"verify($self, token, /)\n"
"--\n"
"\n"
"Return the claims of a token whose signature and claims are right.\n"
"\n"
"Args:\n"
"    token: A compact JWS (RFC 7515 7.1), str or bytes.\n"
"\n"
"Raises:\n"
"    TokenError: The token was not accepted; the subclass says why. No byte\n"
"        of the payload is read before the signature has passed.\n"
"    TypeError: The argument is neither str nor bytes.");

static PyObject *
verifier_verify(PyObject *self, PyObject *value)
{
    header head = {0};
    PyObject *claims = verify((VerifierObject *)self, value, false, &head);
    Py_XDECREF(head.parsed);
    return claims;
}

PyDoc_STRVAR(verify_complete_doc,
"verify_complete($self, token, /)\n"
"--\n"
"\n"
"Like `verify`, but return a Token: a named tuple of header and claims.\n"
"\n"
"Args:\n"
"    token: A compact JWS (RFC 7515 7.1), str or bytes.\n"
"\n"
"Raises:\n"
"    TokenError: The token was not accepted; the subclass says why.\n"
"    TypeError: The argument is neither str nor bytes.");

static PyObject *
verifier_verify_complete(PyObject *self, PyObject *value)
{
    header head = {0};
    PyObject *made = NULL;
    PyObject *claims = verify((VerifierObject *)self, value, true, &head);
    if (claims != NULL) {
        made = PyObject_CallFunctionObjArgs(
            ((VerifierObject *)self)->state->token_type, head.parsed, claims,
            NULL);
        Py_DECREF(claims);
    }
    Py_XDECREF(head.parsed);
    return made;
}

/* --- construction -------------------------------------------------------- */

PyDoc_STRVAR(verifier_doc,
"Verifier(key, *, issuer=None, audience=None, ignore_audience=False,\n"
"         leeway=0, require=('exp',), typ=None, max_age=None,\n"
"         max_bytes=16384, allow_padding=False, cache=0, clock=None,\n"
"         algorithms=None)\n"
"--\n"
"\n"
"Verifies compact signed tokens (RFC 7515, RFC 7519), strictly.\n"
"\n"
"Immutable but for its cache, and safe to share between threads.\n"
"\n"
"Args:\n"
"    key: A Key, or a KeySet (or other iterable) of them.\n"
"    issuer: The accepted `iss`, one string or several; then it is required.\n"
"    audience: The accepted `aud`, one string or several; then it is\n"
"        required. Without it a token must have no `aud` (RFC 7519 4.1.3).\n"
"    ignore_audience: Accepts whatever `aud` says.\n"
"    leeway: Seconds (or a timedelta) by which clocks may differ.\n"
"    require: Names of claims that must be there and not null.\n"
"    typ: The media type that the header's `typ` must have (RFC 8725 3.11),\n"
"        one or several; None among them takes a header without `typ`.\n"
"    max_age: Seconds (or a timedelta) since `iat`, which is then required.\n"
"    max_bytes: Longer tokens, in bytes, are refused before they are read.\n"
"    allow_padding: Takes correct '=' padding, as some load balancers add.\n"
"    cache: How many of the last tokens whose signature has passed are\n"
"        remembered, so that a token that comes again costs no signature\n"
"        check. Its claims are read and checked all the same.\n"
"    clock: A callable that returns seconds since the epoch.\n"
"    algorithms: Narrows those of the keys (RFC 8725 3.1): one or several.\n"
"\n"
"Raises:\n"
"    ConfigurationError: An option has a value that makes no sense.\n"
"    TypeError: An option has the wrong type.");

typedef struct {
    PyObject *key, *issuer, *audience, *leeway, *require, *typ, *max_age,
        *clock, *algorithms;
    Py_ssize_t max_bytes, cache; /* one out of range is the range's end */
    int ignore_audience, allow_padding;
} options;

static bool
options_parse(PyObject *args, PyObject *kwargs, options *out)
{
    static char *keywords[] = {"key",        "issuer",
                               "audience",   "ignore_audience",
                               "leeway",     "require",
                               "typ",        "max_age",
                               "max_bytes",  "allow_padding",
                               "cache",      "clock",
                               "algorithms", NULL};
    *out = (options){.max_bytes = 16384};
    out->issuer = out->audience = out->typ = Py_None;
    out->max_age = out->clock = out->algorithms = Py_None;
    return PyArg_ParseTupleAndKeywords(
        args, kwargs, "O|$OOpOOOOO&pO&OO:Verifier", keywords, &out->key,
        &out->issuer, &out->audience, &out->ignore_audience, &out->leeway,
        &out->require, &out->typ, &out->max_age, fb_option_size,
        &out->max_bytes, &out->allow_padding, fb_option_size, &out->cache,
        &out->clock, &out->algorithms);
}

static bool
check_options(const core_state *state, const options *given)
{
    const char *rule = NULL;
    if (given->ignore_audience && given->audience != Py_None) {
        rule = "audience and ignore_audience exclude each other";
    } else if (given->max_bytes <= 0) {
        rule = "max_bytes must be positive";
    } else if (given->cache < 0 || given->cache > 1 << 24) {
        rule = "cache must be a number of tokens, at least 0";
    }
    if (rule != NULL) {
        PyErr_SetString(state->configuration_error, rule);
    }
    return rule == NULL;
}

/* `require`, and what the other options need to be there. */
static bool
rules_presence(const core_state *state, const options *given,
               claims_rules *rules)
{
    rules->requires[NAME_exp] = given->require == NULL;
    rules->requires[NAME_iss] = given->issuer != Py_None;
    rules->requires[NAME_aud] = given->audience != Py_None;
    rules->requires[NAME_iat] = given->max_age != Py_None;
    PyObject *strings =
        given->require == NULL
            ? PyTuple_New(0)
            : fb_option_strings(state, "require", given->require, true);
    bool ok = strings != NULL && fb_claims_require(state, strings, rules);
    Py_XDECREF(strings);
    return ok;
}

static bool
rules_make(const core_state *state, const options *given, claims_rules *rules)
{
    PyObject *clock;
    rules->max_age = -1;
    rules->ignore_audience = given->ignore_audience;
    if (!fb_option_clock(given->clock, &clock)) {
        return false;
    }
    rules->clock = Py_XNewRef(clock);
    if (given->issuer != Py_None) {
        rules->issuers =
            fb_option_strings(state, "issuer", given->issuer, false);
    }
    if (given->audience != Py_None && !PyErr_Occurred()) {
        rules->audiences =
            fb_option_strings(state, "audience", given->audience, false);
    }
    return !PyErr_Occurred() && rules_presence(state, given, rules)
           && (given->leeway == NULL
               || fb_option_duration(state, "leeway", given->leeway,
                                     &rules->leeway))
           && (given->max_age == Py_None
               || fb_option_duration(state, "max_age", given->max_age,
                                     &rules->max_age));
}

static PyObject *
make_verifier(PyObject *class, PyObject *args, PyObject *kwargs)
{
    PyTypeObject *type = (PyTypeObject *)class;
    core_state *state = PyType_GetModuleState(type);
    options given;
    VerifierObject *self =
        options_parse(args, kwargs, &given) && check_options(state, &given)
            ? (VerifierObject *)type->tp_alloc(type, 0)
            : NULL;
    if (self == NULL) {
        return NULL;
    }
    PyObject_GC_UnTrack(self); /* nobody finds it before it is whole */
    self->state = state;
    self->max_bytes = (size_t)given.max_bytes;
    self->allow_padding = given.allow_padding != 0;
    if (!fb_typ_make(state, given.typ, &self->typ)
        || (self->keys = fb_key_tuple(state, given.key)) == NULL
        || !fb_key_algorithms(state, given.algorithms, &self->algorithms)
        || !fb_key_narrow(&self->keys, &self->algorithms)
        || !rules_make(state, &given, &self->rules)
        || !fb_cache_make(&self->cache, given.cache)) {
        Py_CLEAR(self);
    } else {
        PyObject_GC_Track(self);
    }
    return (PyObject *)self;
}

static PyObject *
verifier_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return fb_option_hold(make_verifier, (PyObject *)type, args, kwargs);
}

/* --- the type ------------------------------------------------------------ */

static int
verifier_traverse(PyObject *self, visitproc visit, void *arg)
{
    VerifierObject *verifier = (VerifierObject *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(verifier->keys);
    Py_VISIT(verifier->cache.known);
    Py_VISIT(verifier->rules.clock);
    return 0;
}

static void
verifier_dealloc(PyObject *self)
{
    VerifierObject *verifier = (VerifierObject *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    fb_cache_clear(&verifier->cache);
    fb_shape_free(&verifier->learned.claims);
    Py_XDECREF(verifier->keys);
    Py_XDECREF(verifier->typ.types);
    Py_XDECREF(verifier->rules.issuers);
    Py_XDECREF(verifier->rules.audiences);
    Py_XDECREF(verifier->rules.required);
    Py_XDECREF(verifier->rules.clock);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef verifier_methods[] = {
    {"verify", verifier_verify, METH_O, verify_doc},
    {"verify_complete", verifier_verify_complete, METH_O, verify_complete_doc},
    COPY_METHODS,
    {NULL, NULL, 0, NULL},
};

static PyType_Slot verifier_slots[] = {
    {Py_tp_doc, (void *)verifier_doc},   {Py_tp_new, verifier_new},
    {Py_tp_traverse, verifier_traverse}, {Py_tp_dealloc, verifier_dealloc},
    {Py_tp_methods, verifier_methods},   {0, NULL},
};

PyType_Spec fb_verifier_spec = {
    .name = "fastbearer.Verifier",
    .basicsize = sizeof(VerifierObject),
    .flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = verifier_slots,
};
