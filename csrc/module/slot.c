/* Work that is done in a slot, which is given back whatever happens.
 *
 * In Python a signal's handler may raise between any two steps, and what gives
 * the slot back may find no memory. Here nothing is between the steps. */
#include "skin.h"

/* Gives a slot back, with no exception set; false where that is impossible.
 * Without memory it is tried again: a lost slot is lost for ever, and where
 * all are, everybody waits. Others go on meanwhile: they have the memory. */
static bool
give_back(PyObject *put, PyObject *slot)
{
    PyObject *done = PyObject_CallOneArg(put, slot);
    while (done == NULL && PyErr_ExceptionMatches(PyExc_MemoryError)) {
        PyErr_Clear();
        Py_BEGIN_ALLOW_THREADS;
        fb_platform_pause();
        Py_END_ALLOW_THREADS;
        done = PyObject_CallOneArg(put, slot);
    }
    Py_XDECREF(done);
    return done != NULL;
}

/* Leaves the slot. An exception of the work stays set, unless giving the slot
 * back raises another one. */
static bool
leave(PyObject *put, PyObject *slot, PyObject *threads, PyObject *own)
{
#if PY_VERSION_HEX >= 0x030c0000
    PyObject *error = PyErr_GetRaisedException();
#else
    PyObject *type, *error, *trace;
    PyErr_Fetch(&type, &error, &trace);
#endif
    bool ok = PySet_Discard(threads, own) >= 0;
    ok = give_back(put, slot) && ok;
#if PY_VERSION_HEX >= 0x030c0000
    if (ok) {
        PyErr_SetRaisedException(error);
    } else {
        Py_XDECREF(error);
    }
#else
    if (ok) {
        PyErr_Restore(type, error, trace);
    } else {
        Py_XDECREF(type);
        Py_XDECREF(error);
        Py_XDECREF(trace);
    }
#endif
    return ok;
}

static PyObject *
do_work(PyObject *slots, PyObject *threads, PyObject *own, PyObject *work,
        PyObject *args)
{
    PyObject *result = NULL, *slot = NULL;
    PyObject *put = PyObject_GetAttrString(slots, "put");
    if (put != NULL) {
        slot = PyObject_CallMethod(slots, "get", NULL);
    }
    if (slot != NULL) {
        if (PySet_Add(threads, own) >= 0) {
            result = PyObject_Call(work, args, NULL);
        }
        if (!leave(put, slot, threads, own)) {
            Py_CLEAR(result);
        }
    }
    Py_XDECREF(slot);
    Py_XDECREF(put);
    return result;
}

PyDoc_STRVAR(in_slot_doc,
"in_slot($module, slots, threads, work, args, /)\n"
"--\n"
"\n"
"Return what work(*args) returns, which is done in a slot.\n"
"\n"
"The slot is given back whatever the work raises, at whatever moment a\n"
"signal's handler does, and without memory. A thread that is in a slot\n"
"needs no other one.\n"
"\n"
"Args:\n"
"    slots: A queue of what is free, such as a SimpleQueue: get() waits for\n"
"        a slot, and put() gives it back.\n"
"    threads: A set of the numbers of the threads that are in a slot.\n"
"    work: What is called.\n"
"    args: A tuple.\n"
"\n"
"Raises:\n"
"    AttributeError: The queue has no put(), or no get().\n"
"    TypeError: An argument has the wrong type.");

static PyObject *
in_slot(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    if (count != 4 || !PySet_CheckExact(args[1])
        || !PyTuple_CheckExact(args[3])) {
        PyErr_SetString(PyExc_TypeError,
                        "slots, a set, work and a tuple, please");
        return NULL;
    }
    PyObject *own = PyLong_FromUnsignedLong(PyThread_get_thread_ident());
    int is_in = own == NULL ? -1 : PySet_Contains(args[1], own);
    PyObject *result = is_in < 0 ? NULL
                       : is_in > 0
                           ? PyObject_Call(args[2], args[3], NULL)
                           : do_work(args[0], args[1], own, args[2], args[3]);
    Py_XDECREF(own);
    return result;
}

PyMethodDef fb_slot_methods[] = {
    {"in_slot", (PyCFunction)(void (*)(void))in_slot, METH_FASTCALL,
     in_slot_doc},
    {NULL, NULL, 0, NULL},
};
