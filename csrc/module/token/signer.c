/* Signer: from claims to a compact token. */
#include "skin.h"

#include <math.h>

#include "token/token.h"

typedef struct {
    PyObject_HEAD
    core_state *state;
    KeyObject *key;
    PyObject *issuer;   /* str, or NULL */
    PyObject *audience; /* str or tuple of str, or NULL */
    PyObject *clock;    /* callable, or NULL */
    double lifetime;    /* seconds; < 0 for none */
    bool ascii;
    json_ready ready;
} SignerObject;

/* --- claims -------------------------------------------------------------- */

/* Writes the claim if the caller gave none; takes over the value. */
static bool
add(json_out *text, PyObject *claims, PyObject *name, PyObject *value)
{
    int has = value == NULL ? -1 : PyDict_Contains(claims, name);
    bool ok =
        has == 1 || (has == 0 && fb_json_write_member(text, name, value));
    Py_XDECREF(value);
    return ok;
}

static bool
add_times(const SignerObject *self, json_out *text, PyObject *claims,
          double now)
{
    PyObject *const *own = self->state->names.own;
    return self->lifetime < 0
           || (add(text, claims, own[NAME_iat], PyLong_FromDouble(floor(now)))
               && add(text, claims, own[NAME_exp],
                      PyLong_FromDouble(floor(now + self->lifetime))));
}

static bool
write_claims(const SignerObject *self, json_out *text, PyObject **given,
             double now)
{
    PyObject *const *own = self->state->names.own;
    if (!json_put_character(text, '{') || !fb_given_write(text, given)) {
        return false;
    }
    PyObject *claims = *given;
    return (self->issuer == NULL
            || add(text, claims, own[NAME_iss], Py_NewRef(self->issuer)))
           && (self->audience == NULL
               || add(text, claims, own[NAME_aud], Py_NewRef(self->audience)))
           && add_times(self, text, claims, now) && fb_json_close(text, '}');
}

/* --- signing ------------------------------------------------------------- */

PyDoc_STRVAR(sign_doc,
"sign($self, claims, /, *, headers=None)\n"
"--\n"
"\n"
"Return the compact token of the claims.\n"
"\n"
"Args:\n"
"    claims: A dict of what JSON has. `exp`, `nbf` and `iat` may be\n"
"        datetimes; one without a time zone is taken as UTC.\n"
"    headers: More members of the header; `typ` None leaves it out.\n"
"\n"
"Raises:\n"
"    TypeError: A value has a type that JSON does not have.\n"
"    ValueError: A value that a strict verifier would refuse: NaN, a lone\n"
"        surrogate, more than 32 levels, or a header such as `crit`.");

static bool
parse_sign(PyObject *const *args, Py_ssize_t count, PyObject *kwnames,
           PyObject **headers)
{
    Py_ssize_t named = kwnames == NULL ? 0 : PyTuple_GET_SIZE(kwnames);
    *headers = NULL;
    if (count != 1 || named > 1
        || (named == 1
            && PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(kwnames, 0),
                                                "headers")
                   != 0)) {
        PyErr_SetString(PyExc_TypeError,
                        "sign() takes claims, and headers by name");
        return false;
    }
    if (named == 1) {
        *headers = args[1];
    }
    if (!PyDict_Check(args[0])) {
        PyErr_Format(PyExc_TypeError, "claims must be a dict, not %.100s",
                     Py_TYPE(args[0])->tp_name);
        return false;
    }
    return true;
}

static PyObject *
sign(SignerObject *self, PyObject *claims, PyObject *encoded_header)
{
    json_out text;
    PyObject *made = NULL;
    double now = 0;
    /* Code of others runs before the claims are read, and not again. */
    if (self->lifetime >= 0 && !fb_option_clock_read(self->clock, &now)) {
        return NULL;
    }
    PyObject *settled = fb_json_still(claims);
    if (settled == NULL) {
        return NULL;
    }
    fb_json_out_begin(&text);
    text.ascii = self->ascii;
    text.walks_dicts = self->state->walks_dicts;
    text.ready = &self->ready;
    if (write_claims(self, &text, &settled, now)) {
        made = fb_signature_sign(self->state, self->key, encoded_header,
                                 (span){text.bytes, text.len});
    } else {
        fb_json_blame_tell(&text, "claims");
    }
    fb_json_out_end(&text);
    Py_XDECREF(settled);
    return made;
}

static PyObject *
signer_sign(PyObject *self, PyObject *const *args, Py_ssize_t count,
            PyObject *kwnames)
{
    SignerObject *signer = (SignerObject *)self;
    PyObject *headers, *made = NULL;
    if (!parse_sign(args, count, kwnames, &headers)) {
        return NULL;
    }
    PyObject *encoded =
        fb_header_make(signer->state, signer->key, headers, HEADER_JWT);
    if (encoded != NULL) {
        made = sign(signer, args[0], encoded);
        Py_DECREF(encoded);
    }
    return made;
}

/* --- construction -------------------------------------------------------- */

PyDoc_STRVAR(signer_doc,
"Signer(key, *, issuer=None, audience=None, lifetime=None, clock=None,\n"
"       ascii=False)\n"
"--\n"
"\n"
"Signs claims as compact tokens (RFC 7515, RFC 7519).\n"
"\n"
"Immutable, and safe to share between threads. What it adds never replaces\n"
"a claim that the caller gives.\n"
"\n"
"Args:\n"
"    key: The Key to sign with.\n"
"    issuer: Adds `iss`.\n"
"    audience: Adds `aud`: one string, or several.\n"
"    lifetime: Seconds (or a timedelta): adds `iat` and `exp`, as integers.\n"
"    clock: A callable that returns seconds since the epoch.\n"
"    ascii: Writes other characters as escapes, as json.dumps does.\n"
"\n"
"Raises:\n"
"    ConfigurationError: An option has a value that makes no sense.\n"
"    TypeError: An option has the wrong type.");

static bool
signer_fill(SignerObject *self, PyObject *issuer, PyObject *audience,
            PyObject *lifetime, PyObject *clock)
{
    const core_state *state = self->state;
    PyObject *callable;
    if (!fb_key_can_sign(state, self->key)
        || !fb_option_string(state, "issuer", issuer, &self->issuer)
        || !fb_option_clock(clock, &callable)) {
        return false;
    }
    self->clock = Py_XNewRef(callable);
    if (PyUnicode_Check(audience)) {
        if (!fb_option_string(state, "audience", audience, &self->audience)) {
            return false;
        }
    } else if (audience != Py_None) {
        self->audience = fb_option_strings(state, "audience", audience, false);
        if (self->audience == NULL) {
            return false;
        }
    }
    return lifetime == Py_None
           || fb_option_duration(state, "lifetime", lifetime, &self->lifetime);
}

static PyObject *
make_signer(PyObject *class, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"key",   "issuer", "audience", "lifetime",
                               "clock", "ascii",  NULL};
    PyTypeObject *type = (PyTypeObject *)class;
    core_state *state = PyType_GetModuleState(type);
    PyObject *key, *issuer = Py_None, *audience = Py_None;
    PyObject *lifetime = Py_None, *clock = Py_None;
    int ascii = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$OOOOp:Signer", keywords,
                                     &key, &issuer, &audience, &lifetime,
                                     &clock, &ascii)) {
        return NULL;
    }
    if (!Py_IS_TYPE(key, state->key_type)) {
        return fb_key_is_needed("the one key of a Signer", key);
    }
    SignerObject *self = (SignerObject *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    PyObject_GC_UnTrack(self); /* nobody finds it before it is whole */
    self->state = state;
    self->key = (KeyObject *)Py_NewRef(key);
    self->lifetime = -1;
    self->ascii = ascii != 0;
    if (!signer_fill(self, issuer, audience, lifetime, clock)) {
        Py_CLEAR(self);
    } else {
        PyObject_GC_Track(self);
    }
    return (PyObject *)self;
}

static PyObject *
signer_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return fb_option_hold(make_signer, (PyObject *)type, args, kwargs);
}

/* --- the type ------------------------------------------------------------ */

static int
signer_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((SignerObject *)self)->clock);
    return 0;
}

static void
signer_dealloc(PyObject *self)
{
    SignerObject *signer = (SignerObject *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_XDECREF(signer->key);
    Py_XDECREF(signer->issuer);
    Py_XDECREF(signer->audience);
    Py_XDECREF(signer->clock);
    fb_json_ready_clear(&signer->ready);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef signer_methods[] = {
    {"sign", (PyCFunction)(void (*)(void))signer_sign,
     METH_FASTCALL | METH_KEYWORDS, sign_doc},
    COPY_METHODS,
    {NULL, NULL, 0, NULL},
};

static PyType_Slot signer_slots[] = {
    {Py_tp_doc, (void *)signer_doc},   {Py_tp_new, signer_new},
    {Py_tp_traverse, signer_traverse}, {Py_tp_dealloc, signer_dealloc},
    {Py_tp_methods, signer_methods},   {0, NULL},
};

PyType_Spec fb_signer_spec = {
    .name = "fastbearer.Signer",
    .basicsize = sizeof(SignerObject),
    .flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = signer_slots,
};
