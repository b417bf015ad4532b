/* fastbearer._core: cookies of one maker among the headers of a request. */
#include "skin.h"

#include <string.h>

static const char secure_mark[] = "__Secure-";
enum { SECURE_MARK_LEN = sizeof secure_mark - 1 };

/* RFC 9110 5.6.3: spaces and tabs around it do not count. */
static span
trimmed(span text)
{
    while (text.len > 0 && (*text.p == ' ' || *text.p == '\t')) {
        text = (span){text.p + 1, text.len - 1};
    }
    while (text.len > 0
           && (text.p[text.len - 1] == ' ' || text.p[text.len - 1] == '\t')) {
        text.len--;
    }
    return text;
}

static span
unquoted(span text)
{
    bool is_quoted =
        text.len >= 2 && text.p[0] == '"' && text.p[text.len - 1] == '"';
    return is_quoted ? (span){text.p + 1, text.len - 2} : text;
}

static bool
begins_with(span text, span start)
{
    return text.len >= start.len && memcmp(text.p, start.p, start.len) == 0;
}

static bool
is_wanted(span name, span prefix)
{
    if (begins_with(name, (span){secure_mark, SECURE_MARK_LEN})) {
        name = (span){name.p + SECURE_MARK_LEN, name.len - SECURE_MARK_LEN};
    }
    return begins_with(name, prefix);
}

/* One that comes twice with the same value came once. */
static bool
add(PyObject *found, span name, span value)
{
    PyObject *key = PyUnicode_DecodeLatin1(name.p, (Py_ssize_t)name.len, NULL);
    PyObject *text =
        PyUnicode_DecodeLatin1(value.p, (Py_ssize_t)value.len, NULL);
    PyObject *kept = key == NULL || text == NULL
                         ? NULL
                         : PyDict_SetDefault(found, key, text);
    bool ok = kept != NULL;
    if (ok && kept != text && PyUnicode_Compare(kept, text) != 0) {
        PyErr_SetString(PyExc_ValueError, "a cookie came twice");
        ok = false;
    }
    Py_XDECREF(key);
    Py_XDECREF(text);
    return ok;
}

/* RFC 6265 4.2.1: pairs with semicolons between them. */
static bool
add_all(PyObject *found, span line, span prefix)
{
    const char *end = line.p + line.len;
    while (line.p < end) {
        const char *stop = memchr(line.p, ';', (size_t)(end - line.p));
        stop = stop == NULL ? end : stop;
        const char *equals = memchr(line.p, '=', (size_t)(stop - line.p));
        if (equals != NULL) {
            span name = trimmed((span){line.p, (size_t)(equals - line.p)});
            span value =
                trimmed((span){equals + 1, (size_t)(stop - equals - 1)});
            if (is_wanted(name, prefix)
                && !add(found, name, unquoted(value))) {
                return false;
            }
        }
        line.p = stop + 1;
    }
    return true;
}

PyDoc_STRVAR(cookie_values_doc,
"cookie_values($module, headers, prefix, /)\n"
"--\n"
"\n"
"Return name -> value of the cookies whose names have a prefix, after\n"
"\"__Secure-\" or without it.\n"
"\n"
"Args:\n"
"    headers: ASGI's: pairs of bytes, the names in lower case.\n"
"    prefix: Bytes.\n"
"\n"
"Raises:\n"
"    ValueError: One came twice, with different values.\n"
"    TypeError: An argument is not such.");

static PyObject *
cookie_values(PyObject *Py_UNUSED(module), PyObject *const *args,
              Py_ssize_t count)
{
    if (count != 2 || !PyBytes_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError,
                        "cookie_values(headers, prefix: bytes)");
        return NULL;
    }
    span prefix = pytext_bytes(args[1]);
    PyObject *headers =
        PySequence_Fast(args[0], "headers must be a sequence of pairs");
    PyObject *name = PyBytes_FromString("cookie");
    PyObject *found = PyDict_New();
    bool ok = headers != NULL && name != NULL && found != NULL;
    for (Py_ssize_t i = 0; ok && i < PySequence_Fast_GET_SIZE(headers); i++) {
        PyObject *value;
        ok = field_value(PySequence_Fast_GET_ITEM(headers, i), name, &value);
        if (ok && value != NULL && !PyBytes_Check(value)) {
            PyErr_SetString(PyExc_TypeError, "a header is a pair of bytes");
            ok = false;
        }
        if (ok && value != NULL) {
            ok = add_all(found, pytext_bytes(value), prefix);
        }
    }
    Py_XDECREF(headers);
    Py_XDECREF(name);
    if (!ok) {
        Py_CLEAR(found);
    }
    return found;
}

PyMethodDef cookie_methods[] = {
    {"cookie_values", (PyCFunction)(void (*)(void))cookie_values,
     METH_FASTCALL, cookie_values_doc},
    {NULL, NULL, 0, NULL},
};
