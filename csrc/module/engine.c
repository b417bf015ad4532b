/* What computes what can be computed in several ways, as the environment
 * says. */
#include "skin.h"

#include <openssl/evp.h>

bool
fb_engine_choose(const core_state *state, const char *variable,
                 bool (*is_there)(void), bool *by_sodium)
{
    const char *choice = getenv(variable);
    bool is_chosen = choice != NULL && *choice != '\0';
    bool wants_sodium = is_chosen
                            ? strcmp(choice, "libsodium") == 0
                            : !EVP_default_properties_is_fips_enabled(NULL);
    *by_sodium = wants_sodium && is_there();
    if (!is_chosen || *by_sodium || strcmp(choice, "libcrypto") == 0) {
        return true;
    }
    PyErr_Format(state->configuration_error,
                 "%s must be libcrypto; or libsodium, where this was built "
                 "with one that computes the same",
                 variable);
    return false;
}

bool
fb_engine_name(PyObject *module, const char *attribute, bool by_sodium)
{
    return PyModule_AddStringConstant(module, attribute,
                                      by_sodium ? "libsodium" : "libcrypto")
           == 0;
}

static bool
is_on(const char *variable)
{
    const char *value = getenv(variable);
    return value != NULL && strcmp(value, "1") == 0;
}

bool
fb_engine_means(core_state *state)
{
    const char *choice = getenv("FASTBEARER_ARGON2");
    bool is_chosen = choice != NULL && *choice != '\0';
    state->arenas.most = Py_MIN(fb_platform_cores(), ARENAS_MAX);
    state->means.arenas = &state->arenas;
    state->means.digests = &state->digests;
    state->means.wipes = is_on("FASTBEARER_ARGON2_WIPE");
    state->means.engine = fb_argon2_engine_find(is_chosen ? choice : NULL);
    if (state->means.engine == NULL) {
        PyErr_SetString(state->configuration_error,
                        "FASTBEARER_ARGON2 must be portable, avx2, avx512 or "
                        "neon, and what this CPU can do; or libargon2, where "
                        "this was built with it");
        return false;
    }
    if (!fb_argon2_known_agrees(state->means.engine)) {
        PyErr_Format(PyExc_ImportError,
                     "Argon2 by %s gives a wrong hash on this machine; "
                     "FASTBEARER_ARGON2 chooses another engine",
                     fb_argon2_engine_name(state->means.engine));
        return false;
    }
    return fb_engine_choose(state, "FASTBEARER_SCRYPT", fb_sodium_has_scrypt,
                            &state->means.by_sodium);
}
