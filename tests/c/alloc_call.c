/*
 * A Python module that calls a function while alloc_fail.c lets allocations
 * fail: those of malloc, of libcrypto alone, or of Python alone. Nothing of
 * its own allocates in between.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>
#include <stdlib.h>

#include <openssl/crypto.h>

enum { OF_MALLOC, OF_LIBCRYPTO, OF_PYTHON };

void alloc_fail_begin(int whose, long n, bool on);
bool alloc_fail_refuses(int whose);
long alloc_fail_end(long *left);

/* --- libcrypto's allocator ----------------------------------------------- */

/* As libcrypto's own, which has no memory of no bytes. */
static void *
crypto_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return size == 0 || alloc_fail_refuses(OF_LIBCRYPTO) ? NULL : malloc(size);
}

static void
crypto_free(void *old, const char *file, int line)
{
    (void)file;
    (void)line;
    free(old);
}

static void *
crypto_realloc(void *old, size_t size, const char *file, int line)
{
    if (size == 0) {
        crypto_free(old, file, line);
        return NULL;
    }
    return alloc_fail_refuses(OF_LIBCRYPTO) ? NULL : realloc(old, size);
}

/* --- Python's three ------------------------------------------------------ */

static PyMemAllocatorEx originals[3];

static void *
python_malloc(void *of, size_t size)
{
    const PyMemAllocatorEx *original = of;
    return alloc_fail_refuses(OF_PYTHON)
               ? NULL
               : original->malloc(original->ctx, size);
}

static void *
python_calloc(void *of, size_t count, size_t size)
{
    const PyMemAllocatorEx *original = of;
    return alloc_fail_refuses(OF_PYTHON)
               ? NULL
               : original->calloc(original->ctx, count, size);
}

static void *
python_realloc(void *of, void *old, size_t size)
{
    const PyMemAllocatorEx *original = of;
    return alloc_fail_refuses(OF_PYTHON)
               ? NULL
               : original->realloc(original->ctx, old, size);
}

static void
python_free(void *of, void *old)
{
    const PyMemAllocatorEx *original = of;
    original->free(original->ctx, old);
}

static PyObject *
hook_python(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused))
{
    static const PyMemAllocatorDomain domains[] = {
        PYMEM_DOMAIN_RAW, PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ};
    for (int i = 0; i < 3; i++) {
        PyMem_GetAllocator(domains[i], &originals[i]);
        PyMem_SetAllocator(domains[i],
                           &(PyMemAllocatorEx){&originals[i], python_malloc,
                                               python_calloc, python_realloc,
                                               python_free});
    }
    Py_RETURN_NONE;
}

/* --- calls --------------------------------------------------------------- */

/* The exception that is set, whole, or None; a new reference. */
static PyObject *
raised(void)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    if (type == NULL) {
        return Py_NewRef(Py_None);
    }
    PyErr_NormalizeException(&type, &value, &traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return value;
}

/* call(function, args, kwargs, whose, n, on) -> (result, exception, seen) */
static PyObject *
call(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *function, *given, *named;
    long n, left;
    int whose, on;
    if (!PyArg_ParseTuple(args, "OO!O!ilp", &function, &PyTuple_Type, &given,
                          &PyDict_Type, &named, &whose, &n, &on)) {
        return NULL;
    }
    alloc_fail_begin(whose, n, on != 0);
    PyObject *result = PyObject_Call(function, given, named);
    long seen = alloc_fail_end(&left);
    bool is_broken = (result == NULL) != (PyErr_Occurred() != NULL);
    PyObject *error = raised();
    if (is_broken) {
        PyErr_SetString(PyExc_AssertionError, "a result and an exception, "
                                              "or neither");
        return NULL;
    }
    return Py_BuildValue("NNl", result == NULL ? Py_NewRef(Py_None) : result,
                         error, seen);
}

/* leak(function, args, kwargs, whose, n, on, times) -> allocations left */
static PyObject *
leak(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *function, *given, *named;
    long n, left, all = 0, times;
    int whose, on;
    if (!PyArg_ParseTuple(args, "OO!O!ilpl", &function, &PyTuple_Type, &given,
                          &PyDict_Type, &named, &whose, &n, &on, &times)) {
        return NULL;
    }
    for (long i = 0; i < times; i++) {
        alloc_fail_begin(whose, n, on != 0);
        PyObject *result = PyObject_Call(function, given, named);
        (void)alloc_fail_end(&left);
        all += left;
        alloc_fail_begin(OF_MALLOC, 0, false);
        Py_XDECREF(result);
        PyErr_Clear();
        (void)alloc_fail_end(&left);
        all += left;
    }
    return PyLong_FromLong(all);
}

static PyMethodDef methods[] = {
    {"call", call, METH_VARARGS, NULL},
    {"leak", leak, METH_VARARGS, NULL},
    {"hook_python", hook_python, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "alloc_call",
    .m_size = -1,
    .m_methods = methods,
};

PyMODINIT_FUNC PyInit_alloc_call(void);

/* Imported before the core: libcrypto's allocator cannot be changed later. */
PyMODINIT_FUNC
PyInit_alloc_call(void)
{
    PyObject *module = PyModule_Create(&definition);
    int is_hooked =
        CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free);
    if (module != NULL
        && PyModule_AddIntConstant(module, "has_libcrypto", is_hooked) < 0) {
        Py_CLEAR(module);
    }
    return module;
}
