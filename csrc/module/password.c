/* Password hashing with the GIL released. */
#include "skin.h"

#include <openssl/crypto.h>

/* Argon2 takes any length, so that one request could hash megabytes. */
#define PASSWORD_BYTES_MAX 4096

/* How much longer Unicode's form NFKC makes UTF-8, at most: the 3 bytes of
 * U+FDFA become 33. */
#define NFKC_GROWTH 11

/* Borrows the bytes of str (as UTF-8) or bytes. An encoding error would hold
 * the password, so it becomes a status. */
static bool
password_text(const core_state *state, PyObject *value, size_t most,
              span *text, status *result)
{
    *result = STATUS_OK;
    if (!fb_pytext_utf8(state, "a password", value, STATUS_PASSWORD_UNICODE,
                        text)) {
        if (!PyErr_ExceptionMatches(
                state->refusals[STATUS_PASSWORD_UNICODE].class)) {
            return false;
        }
        PyErr_Clear();
        *result = STATUS_PASSWORD_UNICODE;
    }
    if (*result == STATUS_OK && text->len > most) {
        *result = STATUS_PASSWORD_LONG;
    }
    return true;
}

/* A new reference to the password in the form that the hash's format asks for,
 * and the most bytes that it may have. Bytes that are not text stay as they
 * are, and so does what is too long as it is. */
static PyObject *
password_form(const core_state *state, const format *found, PyObject *value,
              size_t *most)
{
    span given;
    status result;
    *most = PASSWORD_BYTES_MAX;
    if (!password_text(state, value, *most, &given, &result)) {
        return NULL;
    }
    if (found == NULL || !found->is_nfkc || result != STATUS_OK) {
        return Py_NewRef(value);
    }
    PyObject *text = PyBytes_Check(value)
                         ? PyUnicode_DecodeUTF8(PyBytes_AS_STRING(value),
                                                PyBytes_GET_SIZE(value), NULL)
                         : Py_NewRef(value);
    if (text == NULL && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
        PyErr_Clear(); /* it holds the password */
        return Py_NewRef(value);
    }
    if (text == NULL || PyUnicode_IS_ASCII(text)) {
        return text;
    }
    *most = PASSWORD_BYTES_MAX * NFKC_GROWTH;
    PyObject *data = PyImport_ImportModule("unicodedata");
    PyObject *form = data == NULL ? NULL
                                  : PyObject_CallMethod(data, "normalize",
                                                        "sO", "NFKC", text);
    Py_XDECREF(data);
    Py_DECREF(text);
    return form;
}

static bool
hash_span(const core_state *state, PyObject *value, span *text)
{
    return fb_pytext_ascii(state, "a hash", value, STATUS_HASH_UNKNOWN, text);
}

/* Threads for one hash: 0 stands for one per core. */
static bool
thread_count(PyObject *const *args, Py_ssize_t count, unsigned *threads)
{
    int overflow = 0; /* more than there can be are as many as there are */
    long given = count < 3 ? 0 : PyLong_AsLongAndOverflow(args[2], &overflow);
    if (given == -1 && PyErr_Occurred()) {
        return false;
    }
    *threads = given > 0 && given < ARENAS_MAX ? (unsigned)given
                                               : fb_platform_cores();
    return true;
}

/* --- hashing and verifying ----------------------------------------------- */

PyDoc_STRVAR(hash_doc,
"password_hash($module, password, setting, threads=0, /)\n"
"--\n"
"\n"
"Return the hash of a password under a setting.\n"
"\n"
"Args:\n"
"    password: A str is taken as UTF-8; at most 4096 bytes.\n"
"    setting: The scheme, its costs and the salt, as `password_setting`\n"
"        writes them; the digest in it is not looked at.\n"
"    threads: Of one Argon2 hash, at most; 0 means as many as cores.\n"
"\n"
"Raises:\n"
"    InvalidHashError: The setting is malformed, of an unknown format, or\n"
"        asks for more memory or time than is allowed.\n"
"    PasswordTooLongError: Over 4096 bytes, or over 72 for bcrypt.\n"
"    PasswordError: A lone surrogate, or a NUL for bcrypt.\n"
"    TypeError: An argument is neither str nor bytes.");

static PyObject *
hash(const core_state *state, PyObject *value, size_t most, span setting,
     unsigned threads)
{
    span password;
    hash_text out;
    status result;
    if (!password_text(state, value, most, &password, &result)) {
        return NULL;
    }
    if (result == STATUS_OK) {
        Py_BEGIN_ALLOW_THREADS;
        result =
            fb_format_make(&state->means, password, setting, threads, &out);
        Py_END_ALLOW_THREADS;
    }
    return result == STATUS_OK
               ? PyUnicode_FromStringAndSize(out.text, (Py_ssize_t)out.len)
               : fb_raise_status(state, result);
}

static PyObject *
password_hash(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    core_state *state = state_of(module);
    span setting;
    unsigned threads;
    if (count != 2 && count != 3) {
        PyErr_SetString(PyExc_TypeError,
                        "password_hash(password, setting, threads=0)");
        return NULL;
    }
    if (!thread_count(args, count, &threads)
        || !hash_span(state, args[1], &setting)) {
        return NULL;
    }
    size_t most;
    PyObject *password =
        password_form(state, fb_format_find(setting), args[0], &most);
    PyObject *made = password == NULL
                         ? NULL
                         : hash(state, password, most, setting, threads);
    Py_XDECREF(password);
    return made;
}

PyDoc_STRVAR(verify_doc,
"password_verify($module, password, hash, threads=0, weak=False, /)\n"
"--\n"
"\n"
"Return whether the password made the hash, in constant time.\n"
"\n"
"Args:\n"
"    password: A str is taken as UTF-8. What cannot be hashed never matches.\n"
"    hash: Of any supported format.\n"
"    threads: Of one Argon2 hash, at most; 0 means as many as cores.\n"
"    weak: Also verifies hashes of weak formats; they are refused otherwise.\n"
"\n"
"Raises:\n"
"    InvalidHashError: The hash is malformed, of an unknown format or of a\n"
"        weak one, or asks for more memory or time than is allowed.\n"
"    TypeError: An argument is neither str nor bytes.");

static PyObject *
verify(const core_state *state, PyObject *value, size_t most, span hash,
       unsigned threads, bool takes_weak)
{
    span password;
    status hashable, result;
    bool matches = false;
    if (!password_text(state, value, most, &password, &hashable)) {
        return NULL;
    }
    if (hashable != STATUS_OK) { /* no hash was ever made of it */
        password = (span){"", 0};
    }
    Py_BEGIN_ALLOW_THREADS;
    result = fb_format_verify(&state->means, password, hash, threads,
                              takes_weak, &matches);
    Py_END_ALLOW_THREADS;
    return result == STATUS_OK
               ? PyBool_FromLong(matches && hashable == STATUS_OK)
               : fb_raise_status(state, result);
}

static PyObject *
password_verify(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    core_state *state = state_of(module);
    span hash;
    unsigned threads;
    if (count < 2 || count > 4) {
        PyErr_SetString(
            PyExc_TypeError,
            "password_verify(password, hash, threads=0, weak=False)");
        return NULL;
    }
    int weak = count < 4 ? 0 : PyObject_IsTrue(args[3]);
    if (weak < 0 || !thread_count(args, count, &threads)
        || !hash_span(state, args[1], &hash)) {
        return NULL;
    }
    size_t most;
    PyObject *password =
        password_form(state, fb_format_find(hash), args[0], &most);
    PyObject *answer = password == NULL ? NULL
                                        : verify(state, password, most, hash,
                                                 threads, weak == 1);
    Py_XDECREF(password);
    return answer;
}

PyDoc_STRVAR(is_sole_doc,
"password_is_sole($module, password, hash, /)\n"
"--\n"
"\n"
"Return whether no other password can verify as this one does.\n"
"\n"
"False where the format sees a part of the password only, or takes several\n"
"for one: then what was typed may not be what the user once chose.\n"
"\n"
"Raises:\n"
"    InvalidHashError: The hash is malformed, of an unknown format, or asks\n"
"        for more memory or time than is allowed.\n"
"    TypeError: An argument is neither str nor bytes.");

static PyObject *
is_sole(const core_state *state, const format *found, span hash,
        PyObject *given, PyObject *form)
{
    span as_given, as_hashed;
    status first, second;
    if (!password_text(state, given, PASSWORD_BYTES_MAX, &as_given, &first)
        || !password_text(state, form, PASSWORD_BYTES_MAX, &as_hashed,
                          &second)) {
        return NULL;
    }
    bool is_same = first == STATUS_OK && second == STATUS_OK
                   && as_given.len == as_hashed.len
                   && memcmp(as_given.p, as_hashed.p, as_given.len) == 0;
    return PyBool_FromLong(is_same
                           && fb_format_is_sole(found, hash, as_given));
}

static PyObject *
password_is_sole(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    core_state *state = state_of(module);
    span hash;
    const format *found;
    hash_parts parts;
    size_t most;
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "a password and a hash, please");
        return NULL;
    }
    if (!hash_span(state, args[1], &hash)) {
        return NULL;
    }
    status result = fb_format_parts(hash, &found, &parts);
    if (result != STATUS_OK) {
        return fb_raise_status(state, result);
    }
    PyObject *form = password_form(state, found, args[0], &most);
    PyObject *answer =
        form == NULL ? NULL : is_sole(state, found, hash, args[0], form);
    Py_XDECREF(form);
    return answer;
}

PyDoc_STRVAR(rest_doc,
"password_rest($module, seconds, /)\n"
"--\n"
"\n"
"Give back the memory that no hash has used for that many seconds.\n"
"\n"
"It returns how many pieces of memory are still kept.");

static PyObject *
password_rest(PyObject *module, PyObject *value)
{
    int overflow;
    long seconds = PyLong_AsLongAndOverflow(value, &overflow);
    if (seconds == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (overflow != 0) { /* longer than any time, or less than none */
        seconds = overflow > 0 ? LONG_MAX : 0;
    }
    return PyLong_FromSize_t(
        fb_arena_release(&state_of(module)->arenas, seconds));
}

PyMethodDef fb_password_methods[] = {
    {"password_hash", (PyCFunction)(void (*)(void))password_hash,
     METH_FASTCALL, hash_doc},
    {"password_verify", (PyCFunction)(void (*)(void))password_verify,
     METH_FASTCALL, verify_doc},
    {"password_is_sole", (PyCFunction)(void (*)(void))password_is_sole,
     METH_FASTCALL, is_sole_doc},
    {"password_rest", password_rest, METH_O, rest_doc},
    {NULL, NULL, 0, NULL},
};
