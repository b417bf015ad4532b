/* Argon2 by libargon2: the reference, for those who have it and want it. */
#include "password/password.h"

#include "password/argon2/argon2_inner.h"

#ifdef FASTBEARER_LIBARGON2

#include <argon2.h>

static const argon2_type types[] = {
    [ARGON2_D] = Argon2_d,
    [ARGON2_I] = Argon2_i,
    [ARGON2_ID] = Argon2_id,
};

static uint8_t *
bytes_of(span text)
{
    /* libargon2 only reads them: no flag asks it to clear anything */
    return (uint8_t *)(uintptr_t)text.p;
}

CHECKED static status
compute(const argon2_params *params, span password, unsigned threads,
        unsigned char *tag)
{
    (void)threads;
    argon2_context context = {
        .out = tag,
        .outlen = (uint32_t)params->size,
        .pwd = bytes_of(password),
        .pwdlen = (uint32_t)password.len,
        .salt = bytes_of(params->salt),
        .saltlen = (uint32_t)params->salt.len,
        .secret = bytes_of(params->secret),
        .secretlen = (uint32_t)params->secret.len,
        .ad = bytes_of(params->data),
        .adlen = (uint32_t)params->data.len,
        .t_cost = params->passes,
        .m_cost = params->memory,
        .lanes = params->lanes,
        .threads = 1, /* it loses its memory where a thread cannot be made */
        .version = params->version,
        .flags = ARGON2_DEFAULT_FLAGS,
    };
    int failed = argon2_ctx(&context, types[params->kind]);
    return failed == ARGON2_OK                        ? STATUS_OK
           : failed == ARGON2_MEMORY_ALLOCATION_ERROR ? STATUS_NO_MEMORY
                                                      : STATUS_HASH_MALFORMED;
}

static bool
is_supported(void)
{
    return true;
}

const argon2_engine *
fb_argon2_library(void)
{
    static const argon2_engine library = {"libargon2", is_supported, NULL,
                                          compute};
    return &library;
}

#else

const argon2_engine *
fb_argon2_library(void)
{
    return NULL;
}

#endif
