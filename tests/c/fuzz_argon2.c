/*
 * Argon2 on every engine of this CPU and on several threads, against
 * libargon2; without it, against the portable engine. BLAKE2b against
 * libcrypto's. Bytes: kind and version, lanes, passes, memory, the tag's size;
 * the lengths of salt, secret and data; these, and the password.
 */
#include "fuzz.h"
#include "password/argon2/argon2_inner.h"

#ifdef FASTBEARER_LIBARGON2
#include <argon2.h>
#endif

#ifdef _WIN32
#include <malloc.h>
#define aligned_alloc(alignment, size) _aligned_malloc(size, alignment)
#define aligned_free _aligned_free
#else
#define aligned_free free
#endif

static const char *const names[] = {"portable", "avx2", "avx512", "neon",
                                    "libargon2"};

static status
compute(const argon2_engine *engine, const argon2_params *params,
        span password, unsigned threads, unsigned char *tag)
{
    size_t size = fb_argon2_arena_size(engine, params);
    void *arena = size > 0 ? aligned_alloc(64, size) : NULL;
    MUST(size <= (size_t)params->memory * 1024);
    if (arena != NULL) {
        memset(arena, 0xa5, size);
    }
    status result =
        fb_argon2_compute(engine, params, password, arena, threads, tag);
    aligned_free(arena);
    return result;
}

static void
expect(const argon2_params *params, span password, unsigned char *tag)
{
#ifdef FASTBEARER_LIBARGON2
    argon2_context context = {
        .out = tag,
        .outlen = (uint32_t)params->size,
        .pwd = (uint8_t *)(uintptr_t)password.p,
        .pwdlen = (uint32_t)password.len,
        .salt = (uint8_t *)(uintptr_t)params->salt.p,
        .saltlen = (uint32_t)params->salt.len,
        .secret = (uint8_t *)(uintptr_t)params->secret.p,
        .secretlen = (uint32_t)params->secret.len,
        .ad = (uint8_t *)(uintptr_t)params->data.p,
        .adlen = (uint32_t)params->data.len,
        .t_cost = params->passes,
        .m_cost = params->memory,
        .lanes = params->lanes,
        .threads = 1,
        .version = params->version,
    };
    MUST(argon2_ctx(&context, (argon2_type)params->kind) == ARGON2_OK);
#else
    const argon2_engine *engine = fb_argon2_engine_find("portable");
    MUST(compute(engine, params, password, 1, tag) == STATUS_OK);
#endif
}

static void
check_engines(const argon2_params *params, span password, unsigned threads)
{
    unsigned char *tag = exact_room(params->size);
    unsigned char *expected = exact_room(params->size);
    bool is_good = fb_argon2_params_check(params) == STATUS_OK;
    if (is_good) {
        expect(params, password, expected);
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const argon2_engine *engine = fb_argon2_engine_find(names[i]);
        if (engine == NULL) {
            continue;
        }
        if (!is_good) {
            MUST(fb_argon2_compute(engine, params, password, NULL, 1, tag)
                 != STATUS_OK);
            continue;
        }
        memset(tag, 0x5a, params->size);
        MUST(compute(engine, params, password, threads, tag) == STATUS_OK);
        MUST(memcmp(tag, expected, params->size) == 0);
    }
    free(expected);
    free(tag);
}

/* RFC 7693, of 64 bytes, in pieces. */
static void
check_blake2b(span message, size_t piece)
{
    blake2b state;
    unsigned char expected[EVP_MAX_MD_SIZE];
    unsigned char *out = exact_room(BLAKE2B_MAX);
    MUST(EVP_Digest(message.p, message.len, expected, NULL, EVP_blake2b512(),
                    NULL)
         == 1);
    fb_blake2b_init(&state, BLAKE2B_MAX);
    for (size_t at = 0, len; at < message.len; at += len) {
        len = message.len - at < piece ? message.len - at : piece;
        fb_blake2b_update(&state, message.p + at, len);
    }
    fb_blake2b_final(&state, out);
    MUST(memcmp(out, expected, BLAKE2B_MAX) == 0);
    free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    intake from = {data, size};
    uint8_t kind = intake_byte(&from), lanes = intake_byte(&from);
    uint8_t passes = intake_byte(&from), memory = intake_byte(&from);
    uint8_t tag = intake_byte(&from);
    size_t salt = intake_byte(&from) % 72, secret = intake_byte(&from) % 40;
    size_t more = intake_byte(&from) % 40;
    argon2_params params = {
        .kind = (argon2_kind)(kind % 3),
        .version = kind & 8 ? 0x10 : 0x13,
        .lanes = lanes % 6,
        .passes = passes % 4,
        .memory = memory / 4,
        .salt = intake_span(&from, salt),
        .secret = intake_span(&from, secret),
        .data = intake_span(&from, more),
        .size = kind & 16 ? tag * 4u : tag,
    };
    const span password = intake_span(&from, 512);
    /* to make a thread takes longer than all of the rest */
    check_engines(&params, password, kind & 32 ? 2 + lanes / 6 % 3 : 1);
    check_blake2b(password, 1 + tag);
    span_free(password);
    span_free(params.data);
    span_free(params.secret);
    span_free(params.salt);
    return 0;
}
