/* fastbearer._core: whether a session and its user have members of the types
 * that Better Auth writes (sessionSchema and userSchema of its core). */
#include "skin.h"

typedef enum { TEXT, ID, TOKEN, DATE, FLAG } kind;

typedef struct {
    span name;
    kind kind;
    bool is_needed;
    bool may_be_null; /* in a cookie; in a table, whatever is not needed */
} member;

#define NAMED(text)                                                           \
    {                                                                         \
        text, sizeof(text) - 1                                                \
    }

static const member session_members[] = {
    {NAMED("expiresAt"), DATE, true, false},
    {NAMED("token"), TOKEN, true, false},
    {NAMED("createdAt"), DATE, false, false},
    {NAMED("updatedAt"), DATE, false, false},
    {NAMED("ipAddress"), TEXT, false, true},
    {NAMED("userAgent"), TEXT, false, true},
    {NAMED("userId"), ID, true, false},
    {NAMED("id"), ID, false, false},
};
static const member user_members[] = {
    {NAMED("name"), TEXT, false, false},
    {NAMED("email"), TEXT, false, false},
    {NAMED("emailVerified"), FLAG, false, false},
    {NAMED("image"), TEXT, false, true},
    {NAMED("createdAt"), DATE, false, false},
    {NAMED("updatedAt"), DATE, false, false},
    {NAMED("id"), ID, true, false},
};
enum {
    SESSION_MEMBERS = sizeof session_members / sizeof session_members[0],
    USER_MEMBERS = sizeof user_members / sizeof user_members[0],
    DATE_MAX = 40,
};

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* What JavaScript's toISOString writes, and what the server takes for a date:
 * 2026-11-22T06:46:51.909Z. Whether there is such a day is not asked. */
static bool
is_date(span text)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd";
    enum { WHOLE = sizeof form - 1 };
    bool ok = text.len > WHOLE && text.len <= DATE_MAX
              && text.p[text.len - 1] == 'Z';
    for (size_t i = 0; ok && i < WHOLE; i++) {
        ok = form[i] == 'd' ? is_digit(text.p[i]) : text.p[i] == form[i];
    }
    if (ok && text.len > WHOLE + 1) {
        ok = text.p[WHOLE] == '.' && text.len > WHOLE + 2;
        for (size_t i = WHOLE + 1; ok && i < text.len - 1; i++) {
            ok = is_digit(text.p[i]);
        }
    }
    return ok;
}

static bool
is_of_kind(PyObject *value, kind wanted)
{
    if (wanted == FLAG) {
        return PyBool_Check(value);
    }
    if (!PyUnicode_Check(value)) {
        return false;
    }
    if (wanted == TEXT || wanted == ID) {
        return wanted == TEXT || PyUnicode_GET_LENGTH(value) > 0;
    }
    if (!PyUnicode_IS_ASCII(value)) {
        return false;
    }
    span text = {PyUnicode_DATA(value), (size_t)PyUnicode_GET_LENGTH(value)};
    return wanted == DATE ? is_date(text) : fb_session_token_is_one(text);
}

/* The number of a name in a table, or count. */
static size_t
number_of(PyObject *name, const member *members, size_t count)
{
    size_t number = 0;
    if (!PyUnicode_Check(name) || !PyUnicode_IS_ASCII(name)) {
        return count;
    }
    span text = {PyUnicode_DATA(name), (size_t)PyUnicode_GET_LENGTH(name)};
    while (number < count
           && (members[number].name.len != text.len
               || memcmp(members[number].name.p, text.p, text.len) != 0)) {
        number++;
    }
    return number;
}

/* The first member that is wrong, or NULL: one that is needed and absent, or
 * has another type. Nobody changes the object meanwhile. */
static const member *
misfit(PyObject *object, const member *members, size_t count, bool is_row)
{
    const member *wrong = NULL;
    unsigned present = 0;
    Py_ssize_t at = 0;
    PyObject *name, *value;
    while (wrong == NULL && PyDict_Next(object, &at, &name, &value)) {
        size_t number = number_of(name, members, count);
        if (number < count) {
            const member *one = &members[number];
            bool is_null =
                value == Py_None
                && (one->may_be_null || (is_row && !one->is_needed));
            present |= 1u << number;
            wrong = is_null || is_of_kind(value, one->kind) ? NULL : one;
        }
    }
    for (size_t i = 0; wrong == NULL && i < count; i++) {
        if (members[i].is_needed && (present & 1u << i) == 0) {
            wrong = &members[i];
        }
    }
    return wrong;
}

PyDoc_STRVAR(session_misfit_doc,
"session_misfit($module, session, user, is_row, /)\n"
"--\n"
"\n"
"Return what is wrong with a session and its user, or None.\n"
"\n"
"That is \"session\" or \"user\" where one is no dict, and else the name of\n"
"a member that is absent, or has another type than Better Auth writes.\n"
"\n"
"Args:\n"
"    session: What has the members of a session.\n"
"    user: The same for those of a user.\n"
"    is_row: Whether they come from a table, whose columns may be empty.");

static PyObject *
answer_of(PyObject *session, PyObject *user, bool is_row)
{
    const member *wrong =
        misfit(session, session_members, SESSION_MEMBERS, is_row);
    if (wrong == NULL) {
        wrong = misfit(user, user_members, USER_MEMBERS, is_row);
    }
    if (wrong == NULL) {
        Py_RETURN_NONE;
    }
    return PyUnicode_FromStringAndSize(wrong->name.p,
                                       (Py_ssize_t)wrong->name.len);
}

static PyObject *
session_misfit(PyObject *Py_UNUSED(module), PyObject *const *args,
               Py_ssize_t count)
{
    if (count != 3) {
        PyErr_SetString(PyExc_TypeError,
                        "session_misfit(session, user, is_row)");
        return NULL;
    }
    if (!PyDict_Check(args[0])) {
        return PyUnicode_FromString("session");
    }
    if (!PyDict_Check(args[1])) {
        return PyUnicode_FromString("user");
    }
    PyObject *session = fb_json_still(args[0]);
    PyObject *user = fb_json_still(args[1]);
    PyObject *answer = session == NULL || user == NULL
                           ? NULL
                           : answer_of(session, user, args[2] == Py_True);
    Py_XDECREF(session);
    Py_XDECREF(user);
    return answer;
}

PyMethodDef fb_session_methods[] = {
    {"session_misfit", (PyCFunction)(void (*)(void))session_misfit,
     METH_FASTCALL, session_misfit_doc},
    {NULL, NULL, 0, NULL},
};
