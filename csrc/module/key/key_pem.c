/* Keys from PEM and DER, and back to PEM. */
#include "skin.h"

#include <openssl/bio.h>

const char fb_key_from_pem_doc[] =
    "from_pem($type, /, data, algorithm=None, *, kid=None, password=None)\n"
    "--\n"
    "\n"
    "Read a key of the first key or certificate in a PEM string (RFC 7468).\n"
    "\n"
    "SubjectPublicKeyInfo, PKCS#1, PKCS#8 (also encrypted), SEC 1, and X.509\n"
    "certificates, of which only the key is used: their dates, names and\n"
    "chain are not checked.\n"
    "\n"
    "Args:\n"
    "    data: The text, str or bytes.\n"
    "    algorithm: By default that of the curve, and RS256 for RSA.\n"
    "    kid: The key's id (RFC 7515 4.1.4).\n"
    "    password: Of an encrypted PKCS#8 key, str or bytes.\n"
    "\n"
    "Raises:\n"
    "    InvalidKeyError: There is no such key, or it breaks a rule; the\n"
    "        message names the rule, and shows no key material.";

const char fb_key_from_der_doc[] =
    "from_der($type, /, data, algorithm=None, *, kid=None, password=None)\n"
    "--\n"
    "\n"
    "Like `from_pem`, for the binary form, which must be the whole of data.\n"
    "\n"
    "Args:\n"
    "    data: DER, as bytes.\n"
    "    algorithm: By default that of the curve, and RS256 for RSA.\n"
    "    kid: The key's id (RFC 7515 4.1.4).\n"
    "    password: Of an encrypted PKCS#8 key, str or bytes.\n"
    "\n"
    "Raises:\n"
    "    InvalidKeyError: There is no such key, or it breaks a rule.\n"
    "    TypeError: An argument has the wrong type.";

const char fb_key_to_pem_doc[] =
    "to_pem($self, /, private=False)\n"
    "--\n"
    "\n"
    "Return the key as PEM text (RFC 7468).\n"
    "\n"
    "Args:\n"
    "    private: Whether it is PKCS#8, unencrypted; the public half is\n"
    "        written as SubjectPublicKeyInfo.\n"
    "\n"
    "Raises:\n"
    "    InvalidKeyError: The private half is asked for and there is none,\n"
    "        or the key is a shared secret, which has no PEM form.";

typedef CHECKED status parser(span text, span password, EVP_PKEY **out);

static PyObject *
from_text(PyObject *type, PyObject *args, PyObject *kwargs, parser *parse)
{
    static char *keywords[] = {"data", "algorithm", "kid", "password", NULL};
    core_state *state = PyType_GetModuleState((PyTypeObject *)type);
    PyObject *data, *name = Py_None, *kid = Py_None, *secret = Py_None;
    span text, password = {"", 0};
    EVP_PKEY *evp = NULL;
    key_traits traits = {.may_sign = true, .may_verify = true};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O$OO", keywords, &data,
                                     &name, &kid, &secret)
        || !fb_key_kid(state, kid)
        || !fb_key_algorithm(state, name, &traits.alg)
        || !fb_pytext_utf8(state, "data", data, STATUS_KEY_UNICODE, &text)
        || (secret != Py_None
            && !fb_pytext_utf8(state, "password", secret, STATUS_KEY_UNICODE,
                               &password))) {
        return NULL;
    }
    traits.kid = kid;
    status result;
    Py_BEGIN_ALLOW_THREADS;
    result = password.len > KEY_PASSWORD_MAX ? STATUS_KEY_PASSWORD
                                             : parse(text, password, &evp);
    Py_END_ALLOW_THREADS;
    return result == STATUS_OK ? fb_key_from_evp(state, evp, &traits)
                               : fb_raise_status(state, result);
}

static PyObject *
from_pem(PyObject *type, PyObject *args, PyObject *kwargs)
{
    return from_text(type, args, kwargs, fb_pkey_from_pem);
}

PyObject *
fb_key_from_pem(PyObject *type, PyObject *args, PyObject *kwargs)
{
    return fb_option_hold(from_pem, type, args, kwargs);
}

static PyObject *
from_der(PyObject *type, PyObject *args, PyObject *kwargs)
{
    return from_text(type, args, kwargs, fb_pkey_from_der);
}

PyObject *
fb_key_from_der(PyObject *type, PyObject *args, PyObject *kwargs)
{
    return fb_option_hold(from_der, type, args, kwargs);
}

static PyObject *
to_pem(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"private", NULL};
    const KeyObject *key = (KeyObject *)self;
    core_state *state = PyType_GetModuleState(Py_TYPE(self));
    PyObject *text = NULL;
    char *bytes;
    int is_private = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|p:to_pem", keywords,
                                     &is_private)) {
        return NULL;
    }
    if (key->alg->kind == KIND_HMAC) {
        return fb_raise_status(state, STATUS_KEY_NO_PUBLIC);
    }
    if (is_private && key->pkey.signer == NULL) {
        return fb_raise_status(state, STATUS_KEY_NOT_PRIVATE);
    }
    BIO *pem;
    status result = fb_pkey_to_pem(key->pkey.evp, is_private != 0, &pem);
    if (result != STATUS_OK) {
        return fb_raise_status(state, result);
    }
    long len = BIO_get_mem_data(pem, &bytes);
    text = PyUnicode_DecodeASCII(bytes, len, NULL);
    BIO_free(pem);
    return text;
}

PyObject *
fb_key_to_pem(PyObject *self, PyObject *args, PyObject *kwargs)
{
    return fb_option_hold(to_pem, self, args, kwargs);
}
