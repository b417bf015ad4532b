/* A password hash in its parts, and nobody's hash from them. */
#include "skin.h"

PyDoc_STRVAR(parts_doc,
"password_parts($module, hash, /)\n"
"--\n"
"\n"
"Return what a hash says besides its bytes, as password_setting takes it.\n"
"\n"
"That is 'scheme', whether it 'is_weak', and the costs and sizes; what a\n"
"format does not say is 0.");

static PyObject *
password_parts(PyObject *module, PyObject *value)
{
    core_state *state = state_of(module);
    span hash;
    const format *found;
    hash_parts parts;
    if (!fb_pytext_ascii(state, "a hash", value, STATUS_HASH_UNKNOWN, &hash)) {
        return NULL;
    }
    status result = fb_format_parts(hash, &found, &parts);
    if (result != STATUS_OK) {
        return fb_raise_status(state, result);
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

PyDoc_STRVAR(setting_doc,
"password_setting($module, scheme, salt, /, *, rounds=0, memory_cost=0,\n"
"                 parallelism=1, block_size=8, digest_size=32, version=0,\n"
"                 kind='')\n"
"--\n"
"\n"
"Return nobody's hash: these costs, this salt, and a digest of zeros.\n"
"\n"
"To hash under; or, for it costs as much, to verify where there is no user.\n"
"`rounds` are Argon2's passes, PBKDF2's iterations, scrypt's N, or bcrypt's\n"
"cost. A salt is bytes, or where a format keeps it as it is, ASCII text.");

static PyObject *
setting(const core_state *state, const char *scheme, span salt,
        const hash_parts *parts)
{
    hash_text out;
    const format *row = fb_format_named(scheme);
    status result = row == NULL ? STATUS_HASH_UNKNOWN
                                : fb_format_write(row, parts, salt, &out);
    return result == STATUS_OK
               ? PyUnicode_DecodeASCII(out.text, (Py_ssize_t)out.len, NULL)
               : fb_raise_status(state, result);
}

static PyObject *
password_setting(PyObject *module, PyObject *args, PyObject *kwargs)
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
    const char *scheme, *kind = "";
    unsigned long long rounds = 0, memory = 0, lanes = 1, block = 8;
    Py_ssize_t digest = 32;
    unsigned version = 0;
    Py_buffer salt;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "ss*|$KKKKnIs", keywords,
                                     &scheme, &salt, &rounds, &memory, &lanes,
                                     &block, &digest, &version, &kind)) {
        return NULL;
    }
    const hash_parts parts = {
        .kind = kind[0],
        .version = version,
        .rounds = rounds,
        .memory = memory > UINT32_MAX ? UINT32_MAX : (uint32_t)memory,
        .lanes = lanes > UINT32_MAX ? UINT32_MAX : (uint32_t)lanes,
        .block = block > UINT32_MAX ? UINT32_MAX : (uint32_t)block,
        .digest = digest < 0 ? SIZE_MAX : (size_t)digest,
    };
    PyObject *made = setting(state_of(module), scheme,
                             (span){salt.buf, (size_t)salt.len}, &parts);
    PyBuffer_Release(&salt);
    return made;
}

PyMethodDef fb_password_parts_methods[] = {
    {"password_parts", password_parts, METH_O, parts_doc},
    {"password_setting", (PyCFunction)(void (*)(void))password_setting,
     METH_VARARGS | METH_KEYWORDS, setting_doc},
    {NULL, NULL, 0, NULL},
};
