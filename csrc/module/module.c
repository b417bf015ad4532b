/* fastbearer._core: the module, its state and its start. */
#include "skin.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

PyMODINIT_FUNC PyInit__core(void);

/* --- start, one concern a slot ------------------------------------------- */

static int
exec_errors(PyObject *module)
{
    return fb_raise_prepare(state_of(module)) ? 0 : -1;
}

static int
exec_names(PyObject *module)
{
    return fb_names_make(&state_of(module)->names) ? 0 : -1;
}

static int
exec_dicts(PyObject *module)
{
    core_state *state = state_of(module);
    fb_dict_try(state);
    state->walks_dicts = fb_dict_walk_try(&state->names);
    const char *values = state->writes_dicts ? "written" : "set";
    const char *members = state->walks_dicts ? "read" : "asked for";
    bool ok =
        PyModule_AddStringConstant(module, "dict_values", values) == 0
        && PyModule_AddStringConstant(module, "dict_members", members) == 0;
    return ok ? 0 : -1;
}

/* Fetched here and never lazily: a first use from two threads is a race. */
static int
exec_digests(PyObject *module)
{
    const char *choice = getenv("FASTBEARER_HMAC");
    bool only_evp = choice != NULL && strcmp(choice, "evp") == 0;
    core_state *state = state_of(module);
    if (!fb_digest_fetch_all(&state->digests, only_evp)) {
        ERR_clear_error();
        PyErr_SetString(PyExc_ImportError, "libcrypto has no SHA-2");
        return -1;
    }
    return fb_engine_choose(state, "FASTBEARER_ED25519", fb_sodium_has_ed25519,
                            &state->digests.by_sodium)
                   && fb_engine_name(module, "ed25519_engine",
                                     state->digests.by_sodium)
               ? 0
               : -1;
}

static int
exec_means(PyObject *module)
{
    core_state *state = state_of(module);
    if (!fb_engine_means(state)) {
        return -1;
    }
    return PyModule_AddStringConstant(
               module, "argon2_engine",
               fb_argon2_engine_name(state->means.engine))
                       == 0
                   && fb_engine_name(module, "scrypt_engine",
                                     state->means.by_sodium)
               ? 0
               : -1;
}

static PyTypeObject *
add_type(PyObject *module, PyType_Spec *spec)
{
    PyTypeObject *type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
    if (type == NULL && !PyErr_Occurred()) {
        PyErr_NoMemory(); /* CPython 3.11 does not say it of the type's name */
    }
    if (type != NULL && PyModule_AddType(module, type) < 0) {
        Py_CLEAR(type);
    }
    return type;
}

static int
exec_types(PyObject *module)
{
    core_state *state = state_of(module);
    PyObject *tokens = PyImport_ImportModule("fastbearer.tokens");
    if (tokens == NULL) {
        return -1;
    }
    state->token_type = PyObject_GetAttrString(tokens, "Token");
    Py_DECREF(tokens);
    bool ok =
        state->token_type != NULL
        && (state->key_type = add_type(module, &fb_key_spec)) != NULL
        && (state->verifier_type = add_type(module, &fb_verifier_spec)) != NULL
        && (state->signer_type = add_type(module, &fb_signer_spec)) != NULL;
    PyTypeObject *session_secret_type =
        ok ? add_type(module, &fb_session_secret_spec) : NULL;
    ok = session_secret_type != NULL;
    Py_XDECREF(session_secret_type); /* the module holds it */
    return ok ? 0 : -1;
}

/* The names of all algorithms, so that Python keeps no second list. */
static int
add_algorithms(PyObject *module)
{
    PyObject *list = PyList_New(0);
    bool ok = list != NULL;
    for (size_t row = 0; ok && fb_alg_at(row) != NULL; row++) {
        PyObject *name = PyUnicode_FromString(fb_alg_at(row)->name);
        ok = name != NULL && PyList_Append(list, name) == 0;
        Py_XDECREF(name);
    }
    PyObject *tuple = ok ? PyList_AsTuple(list) : NULL;
    ok = tuple != NULL
         && PyModule_AddObjectRef(module, "algorithms", tuple) == 0;
    Py_XDECREF(tuple);
    Py_XDECREF(list);
    return ok ? 0 : -1;
}

/* Its version, or None. */
static int
add_libsodium(PyObject *module)
{
    const char *version = fb_sodium_version();
    PyObject *said =
        version == NULL ? Py_NewRef(Py_None) : PyUnicode_FromString(version);
    int failed = PyModule_AddObjectRef(module, "libsodium_version", said);
    Py_XDECREF(said);
    return failed;
}

/* The limits that Python asks for, so that there is one table of them. */
static int
exec_limits(PyObject *module)
{
    return PyModule_AddIntConstant(module, "key_set_max", KEY_SET_MAX) < 0
                   || PyModule_AddIntConstant(module, "key_set_text_max",
                                              KEY_SET_TEXT_MAX)
                          < 0
               ? -1
               : 0;
}

static int
exec_functions(PyObject *module)
{
    return PyModule_AddFunctions(module, fb_bearer_methods) < 0
                   || PyModule_AddFunctions(module, fb_cookie_methods) < 0
                   || PyModule_AddFunctions(module, fb_session_methods) < 0
                   || PyModule_AddFunctions(module, fb_encryption_methods) < 0
                   || PyModule_AddFunctions(module, fb_issuer_methods) < 0
                   || PyModule_AddFunctions(module, fb_jwk_methods) < 0
                   || PyModule_AddFunctions(module, fb_jws_methods) < 0
                   || PyModule_AddFunctions(module, fb_password_methods) < 0
                   || PyModule_AddFunctions(module, fb_password_parts_methods)
                          < 0
                   || PyModule_AddFunctions(module, fb_raw_methods) < 0
                   || PyModule_AddFunctions(module, fb_slot_methods) < 0
                   || add_algorithms(module) < 0
                   || PyModule_AddStringConstant(
                          module, "libcrypto_version",
                          OpenSSL_version(OPENSSL_VERSION))
                          < 0
                   || add_libsodium(module) < 0
               ? -1
               : 0;
}

/* --- the module ---------------------------------------------------------- */

static int
module_traverse(PyObject *module, visitproc visit, void *arg)
{
    core_state *state = state_of(module);
    for (int i = 0; i < STATUS_COUNT; i++) {
        Py_VISIT(state->refusals[i].class);
    }
    Py_VISIT(state->configuration_error);
    Py_VISIT(state->token_type);
    Py_VISIT(state->key_type);
    Py_VISIT(state->verifier_type);
    Py_VISIT(state->signer_type);
    return fb_names_visit(&state->names, visit, arg);
}

static int
module_clear(PyObject *module)
{
    core_state *state = state_of(module);
    for (int i = 0; i < STATUS_COUNT; i++) {
        Py_CLEAR(state->refusals[i].class);
        Py_CLEAR(state->refusals[i].arguments);
        Py_CLEAR(state->refusals[i].reason);
        Py_CLEAR(state->refusals[i].claim);
    }
    Py_CLEAR(state->configuration_error);
    Py_CLEAR(state->token_type);
    Py_CLEAR(state->key_type);
    Py_CLEAR(state->verifier_type);
    Py_CLEAR(state->signer_type);
    fb_names_clear(&state->names);
    return 0;
}

static void
module_free(void *module)
{
    module_clear(module);
    fb_digest_free_all(&state_of(module)->digests);
    fb_arena_release(&state_of(module)->arenas, 0);
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, exec_errors},
    {Py_mod_exec, exec_names},
    {Py_mod_exec, exec_dicts},
    {Py_mod_exec, exec_digests},
    {Py_mod_exec, exec_means},
    {Py_mod_exec, exec_types},
    {Py_mod_exec, exec_functions},
    {Py_mod_exec, exec_limits},
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "fastbearer._core",
    .m_doc = "The native core: tokens and passwords.",
    .m_size = sizeof(core_state),
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC
PyInit__core(void)
{
    return PyModuleDef_Init(&module_def);
}
