/* A password hash in its parts, and nobody's hash from them. */
#include "skin.h"

PyDoc_STRVAR(parts_doc,
"password_parts($module, hash, /)\n"
"--\n"
"\n"
"Return what a hash says besides its bytes, as password_setting takes it.\n"
"\n"
"Returns:\n"
"    `scheme` and `kind`, which are str; `is_weak`, a bool; and the costs\n"
"    and sizes, which are int: `memory_cost` in KiB, `salt_size` and\n"
"    `digest_size` in bytes. What a format does not say is 0.\n"
"\n"
"Raises:\n"
"    InvalidHashError: The hash is malformed, of an unknown format, or asks\n"
"        for more memory or time than is allowed.\n"
"    TypeError: The hash is neither str nor bytes.");

/* The row of a hash's format, or NULL for an exception. */
static const format *
read_parts(const core_state *state, PyObject *value, hash_parts *parts)
{
    span hash;
    const format *found;
    if (!fb_pytext_ascii(state, "a hash", value, STATUS_HASH_UNKNOWN, &hash)) {
        return NULL;
    }
    status result = fb_format_parts(hash, &found, parts);
    if (result != STATUS_OK) {
        fb_raise_status(state, result);
        return NULL;
    }
    return found;
}

static PyObject *
password_parts(PyObject *module, PyObject *value)
{
    hash_parts parts;
    const format *found = read_parts(state_of(module), value, &parts);
    if (found == NULL) {
        return NULL;
    }
    return Py_BuildValue(
        "{ss sO ss# sI sK sI sI sI sn sn}", "scheme", found->name, "is_weak",
        parts.is_weak ? Py_True : Py_False, "kind", &parts.kind,
        (Py_ssize_t)(parts.kind != '\0'), "version", (unsigned)parts.version,
        "rounds", (unsigned long long)parts.rounds, "memory_cost",
        (unsigned)parts.memory, "parallelism", (unsigned)parts.lanes,
        "block_size", (unsigned)parts.block, "salt_size",
        (Py_ssize_t)parts.salt, "digest_size", (Py_ssize_t)parts.digest);
}

PyDoc_STRVAR(scheme_doc,
"password_scheme($module, hash, /)\n"
"--\n"
"\n"
"Return the name of a hash's format, once its syntax and cost are checked.\n"
"\n"
"Raises:\n"
"    InvalidHashError: The hash is malformed, of an unknown format, or asks\n"
"        for more memory or time than is allowed.\n"
"    TypeError: The hash is neither str nor bytes.");

static PyObject *
password_scheme(PyObject *module, PyObject *value)
{
    hash_parts parts;
    const format *found = read_parts(state_of(module), value, &parts);
    return found == NULL ? NULL : PyUnicode_FromString(found->name);
}

PyDoc_STRVAR(setting_doc,
"password_setting($module, scheme, salt, /, *, rounds=0, memory_cost=0,\n"
"                 parallelism=1, block_size=8, digest_size=32, version=0,\n"
"                 kind='')\n"
"--\n"
"\n"
"Return nobody's hash: these costs, this salt, and a digest of zeros.\n"
"\n"
"To hash under; or, at the same cost, to verify where there is no user.\n"
"\n"
"Args:\n"
"    scheme: The format's name, such as \"argon2id\".\n"
"    salt: Bytes; or ASCII text where a format keeps it as it is.\n"
"    rounds: Argon2's passes, PBKDF2's iterations, scrypt's N, or bcrypt's\n"
"        cost, of which the hash takes 2 ** rounds steps.\n"
"    memory_cost: Argon2's memory in KiB.\n"
"    parallelism: Lanes of Argon2, or scrypt's p.\n"
"    block_size: scrypt's r.\n"
"    digest_size: Bytes of the digest.\n"
"    version: The format's, where it has several.\n"
"    kind: Which one of a format that has several kinds, such as \"2b\".\n"
"\n"
"Raises:\n"
"    InvalidHashError: There is no such format, or a cost or a size is out\n"
"        of its range.\n"
"    TypeError: An argument has the wrong type.");

static PyObject *
setting(const core_state *state, const format *row, span salt,
        const hash_parts *parts)
{
    hash_text out;
    status result = row == NULL ? STATUS_HASH_UNKNOWN
                                : fb_format_write(row, parts, salt, &out);
    return result == STATUS_OK
               ? PyUnicode_DecodeASCII(out.text, (Py_ssize_t)out.len, NULL)
               : fb_raise_status(state, result);
}

/* For PyArg_Parse: an integer of any size. What no cost can be, below 0 or too
 * large for C, becomes the largest number, which is refused: it must not wrap
 * round to a small one. */
static int
read_cost(PyObject *value, void *out)
{
    unsigned long long *cost = out;
    if (!PyLong_Check(value)) {
        PyErr_Format(PyExc_TypeError, "a cost must be an int, not %.100s",
                     Py_TYPE(value)->tp_name);
        return 0;
    }
    *cost = PyLong_AsUnsignedLongLong(value);
    if (*cost == (unsigned long long)-1 && PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_OverflowError)) {
            return 0;
        }
        PyErr_Clear();
    }
    return 1;
}

static uint32_t
narrow(unsigned long long cost)
{
    return cost > UINT32_MAX ? UINT32_MAX : (uint32_t)cost;
}

/* The row of that name, or NULL. */
static const format *
row_named(PyObject *name)
{
    const char *text = PyUnicode_IS_ASCII(name) ? PyUnicode_DATA(name) : "";
    bool is_whole = strlen(text) == (size_t)PyUnicode_GET_LENGTH(name);
    return is_whole ? fb_format_named(text) : NULL;
}

static PyObject *
write_setting(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"",
                               "",
                               "rounds",
                               "memory_cost",
                               "parallelism",
                               "block_size",
                               "digest_size",
                               "version",
                               "kind",
                               NULL};
    const core_state *state = state_of(module);
    unsigned long long rounds = 0, memory = 0, lanes = 1, block = 8;
    unsigned long long digest = 32, version = 0;
    PyObject *scheme, *salt, *kind = NULL;
    span text, letter = {"", 0};
    if (!PyArg_ParseTupleAndKeywords(
            args, kwargs, "UO|$O&O&O&O&O&O&U", keywords, &scheme, &salt,
            read_cost, &rounds, read_cost, &memory, read_cost, &lanes,
            read_cost, &block, read_cost, &digest, read_cost, &version, &kind)
        || !fb_pytext_ascii(state, "a salt", salt, STATUS_HASH_MALFORMED,
                            &text)
        || (kind != NULL
            && !fb_pytext_ascii(state, "kind", kind, STATUS_HASH_MALFORMED,
                                &letter))) {
        return NULL;
    }
    if (letter.len > 1) {
        return fb_raise_status(state, STATUS_HASH_MALFORMED);
    }
    const hash_parts parts = {
        .kind = letter.len == 0 ? '\0' : letter.p[0],
        .version = narrow(version),
        .rounds = rounds,
        .memory = narrow(memory),
        .lanes = narrow(lanes),
        .block = narrow(block),
        .digest = digest > SIZE_MAX ? SIZE_MAX : (size_t)digest,
    };
    return setting(state, row_named(scheme), text, &parts);
}

static PyObject *
password_setting(PyObject *module, PyObject *args, PyObject *kwargs)
{
    return fb_option_hold(write_setting, module, args, kwargs);
}

PyMethodDef fb_password_parts_methods[] = {
    {"password_parts", password_parts, METH_O, parts_doc},
    {"password_scheme", password_scheme, METH_O, scheme_doc},
    {"password_setting", (PyCFunction)(void (*)(void))password_setting,
     METH_VARARGS | METH_KEYWORDS, setting_doc},
    {NULL, NULL, 0, NULL},
};
