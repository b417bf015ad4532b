/*
 * Where a dict has its values: Python's own header, for dict_fill.c and
 * dict_walk.c alone, in the versions in which it was read. Its warnings are
 * not ours.
 */
#ifndef FASTBEARER_DICT_ENTRIES_H
#define FASTBEARER_DICT_ENTRIES_H
#pragma GCC system_header

#include <Python.h>

#if PY_VERSION_HEX >= 0x030b0000 && PY_VERSION_HEX < 0x030e0000               \
    && !defined(Py_GIL_DISABLED) && __has_include(<internal/pycore_dict.h>)
#include <internal/pycore_dict.h>
#define DICT_ENTRIES_ARE_KNOWN 1
#else
#define DICT_ENTRIES_ARE_KNOWN 0
#endif

#endif
