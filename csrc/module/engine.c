/* Which of two libraries computes what both can, as the environment says. */
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
