/*
 * Our Argon2 against RFC 9106's vectors and against libargon2 (without it,
 * against the portable engine), on every engine the CPU has and on 1 to 4
 * threads; and BLAKE2b against RFC 7693's vector and libcrypto:
 *
 *   make build/check/argon2_check && build/check/argon2_check [cases [seed]]
 */
#include "password/argon2/argon2_inner.h"

#ifdef FASTBEARER_LIBARGON2
#include <argon2.h>
#endif
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef _WIN32
#include <malloc.h>
#define aligned_alloc(alignment, size) _aligned_malloc(size, alignment)
#define aligned_free _aligned_free
#else
#include <pthread.h>
#define aligned_free free
#endif

static const char *const names[] = {"portable", "avx2", "avx512", "neon",
                                    "libargon2"};
#define NAMES (sizeof names / sizeof *names)

static unsigned failures[NAMES], blake_failures;
static uint64_t seed = 1;

/* splitmix64 */
static uint64_t
draw(void)
{
    uint64_t x = seed += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

static size_t
draw_between(size_t min, size_t max)
{
    return min + (size_t)(draw() % (max - min + 1));
}

static void
draw_bytes(char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (char)draw();
    }
}

/* Every other case, some threads cannot be made. */
static bool may_fail;
static unsigned threads_refused;

#ifndef _WIN32
int __real_pthread_create(pthread_t *, const pthread_attr_t *,
                          void *(*)(void *), void *);
int __wrap_pthread_create(pthread_t *, const pthread_attr_t *,
                          void *(*)(void *), void *);

int
__wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                      void *(*start)(void *), void *argument)
{
    if (may_fail && draw() % 3 == 0) {
        threads_refused++;
        return EAGAIN;
    }
    return __real_pthread_create(thread, attributes, start, argument);
}
#endif

/* Runs it on every engine, and compares. The arena begins as rubbish. */
static void
check(const argon2_params *params, span password, unsigned threads,
      const unsigned char *expected, const char *what)
{
    unsigned char tag[ARGON2_TAG_MAX + 1];
    for (size_t i = 0; i < NAMES; i++) {
        const argon2_engine *engine = fb_argon2_engine_find(names[i]);
        if (engine == NULL) {
            continue;
        }
        size_t size = fb_argon2_arena_size(engine, params);
        void *arena = size > 0 ? aligned_alloc(64, size) : NULL;
        if (arena != NULL) {
            memset(arena, 0xa5, size);
        }
        memset(tag, 0x5a, sizeof tag);
        status result =
            fb_argon2_compute(engine, params, password, arena, threads, tag);
        if (result != STATUS_OK || tag[params->size] != 0x5a
            || memcmp(tag, expected, params->size) != 0) {
            if (failures[i]++ < 3) {
                printf("%s: %s: kind %d v %x m %u t %u p %u size %zu "
                       "threads %u\n",
                       names[i], what, params->kind, params->version,
                       params->memory, params->passes, params->lanes,
                       params->size, threads);
            }
        }
        aligned_free(arena);
    }
}

/* RFC 9106 5.1 to 5.3 */
static void
check_rfc(void)
{
    static const unsigned char tags[3][33] = {
        [ARGON2_D] = "\x51\x2b\x39\x1b\x6f\x11\x62\x97\x53\x71\xd3\x09\x19\x73"
                     "\x42\x94\xf8\x68\xe3\xbe\x39\x84\xf3\xc1\xa1\x3a\x4d\xb9"
                     "\xfa\xbe\x4a\xcb",
        [ARGON2_I] = "\xc8\x14\xd9\xd1\xdc\x7f\x37\xaa\x13\xf0\xd7\x7f\x24\x94"
                     "\xbd\xa1\xc8\xde\x6b\x01\x6d\xd3\x88\xd2\x99\x52\xa4\xc4"
                     "\x67\x2b\x6c\xe8",
        [ARGON2_ID] =
            "\x0d\x64\x0d\xf5\x8d\x78\x76\x6c\x08\xc0\x37\xa3\x4a\x8b"
            "\x53\xc9\xd0\x1e\xf0\x45\x2d\x75\xb6\x5e\xb5\x25\x20\xe9"
            "\x6b\x01\xe6\x59",
    };
    char password[32], salt[16], secret[8], data[12];
    memset(password, 1, sizeof password);
    memset(salt, 2, sizeof salt);
    memset(secret, 3, sizeof secret);
    memset(data, 4, sizeof data);
    for (argon2_kind kind = ARGON2_D; kind <= ARGON2_ID; kind++) {
        for (unsigned threads = 1; threads <= 5; threads++) {
            argon2_params params = {.kind = kind,
                                    .version = 0x13,
                                    .memory = 32,
                                    .passes = 3,
                                    .lanes = 4,
                                    .salt = {salt, sizeof salt},
                                    .secret = {secret, sizeof secret},
                                    .data = {data, sizeof data},
                                    .size = 32};
            check(&params, (span){password, sizeof password}, threads,
                  tags[kind], "RFC 9106 5");
        }
    }
}

#ifdef FASTBEARER_LIBARGON2

static bool
oracle(const argon2_params *params, span password, unsigned char *tag)
{
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
    return argon2_ctx(&context, (argon2_type)params->kind) == ARGON2_OK;
}

#else

static bool
oracle(const argon2_params *params, span password, unsigned char *tag)
{
    const argon2_engine *engine = fb_argon2_engine_find("portable");
    void *blocks = aligned_alloc(64, fb_argon2_arena_size(engine, params));
    status result =
        fb_argon2_compute(engine, params, password, blocks, 1, tag);
    aligned_free(blocks);
    return result == STATUS_OK;
}

#endif

/* --- an engine that is none ---------------------------------------------- */

static bool
is_supported(void)
{
    return true;
}

static void
fill_zeros(const argon2_block *previous, const argon2_block *reference,
           argon2_block *to, bool add, argon2_next *next)
{
    (void)previous, (void)reference, (void)add;
    memset(to, 0, sizeof *to);
    if (next != NULL) {
        argon2_next_find(next, 0);
    }
}

static status
compute_nothing(const argon2_params *params, span password, unsigned threads,
                unsigned char *tag)
{
    (void)params, (void)password, (void)threads, (void)tag;
    return STATUS_OK;
}

static status
compute_no_more(const argon2_params *params, span password, unsigned threads,
                unsigned char *tag)
{
    (void)params, (void)password, (void)threads, (void)tag;
    return STATUS_NO_MEMORY;
}

static void
check_known(void)
{
    static const argon2_engine wrong[] = {
        {"zeros", is_supported, fill_zeros, NULL},
        {"nothing", is_supported, NULL, compute_nothing},
        {"no more", is_supported, NULL, compute_no_more},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (fb_argon2_known_agrees(&wrong[i])) {
            printf("%s agrees with the known hash\n", wrong[i].name);
            failures[0]++;
        }
    }
    for (size_t i = 0; i < NAMES; i++) {
        const argon2_engine *engine = fb_argon2_engine_find(names[i]);
        failures[i] += engine != NULL && !fb_argon2_known_agrees(engine);
    }
}

static void
check_random(void)
{
    char password[300], salt[80], secret[80], data[200];
    unsigned char expected[ARGON2_TAG_MAX];
    bool is_wide = draw() % 64 == 0;
    uint32_t lanes = (uint32_t)draw_between(1, is_wide ? 150 : 5);
    unsigned threads = (unsigned)draw_between(1, is_wide ? 100 : 4);
    uint32_t most = draw() % 16 == 0 ? 300 : 40;
    argon2_params params = {
        .kind = (argon2_kind)draw_between(ARGON2_D, ARGON2_ID),
        .version = draw() % 3 == 0 ? 0x10 : 0x13,
        .memory = lanes * 8 + (uint32_t)draw_between(0, lanes * most),
        .passes = (uint32_t)draw_between(1, 4),
        .lanes = lanes,
        .salt = {salt, draw_between(8, sizeof salt)},
        .secret = {secret, draw() % 2 ? draw_between(0, sizeof secret) : 0},
        .data = {data, draw() % 2 ? draw_between(0, sizeof data) : 0},
        .size = draw_between(4, draw() % 4 == 0 ? ARGON2_TAG_MAX : 80),
    };
    /* More than 128 blocks in a part, now and then, for both kinds. */
    if (draw() % 32 == 0) {
        params.memory = lanes * (uint32_t)draw_between(500, 1400);
    }
    span text = {password, draw_between(0, sizeof password)};
    draw_bytes(password, sizeof password);
    draw_bytes(salt, sizeof salt);
    draw_bytes(secret, sizeof secret);
    draw_bytes(data, sizeof data);
    if (!oracle(&params, text, expected)) {
        printf("the oracle refuses a case\n");
        exit(2);
    }
    may_fail = draw() % 2;
    check(&params, text, threads, expected, "random");
}

static void
check_refusals(void)
{
    char salt[8] = {0};
    argon2_params good = {.kind = ARGON2_ID,
                          .version = 0x13,
                          .memory = 16,
                          .passes = 1,
                          .lanes = 2,
                          .salt = {salt, sizeof salt},
                          .size = 4};
    argon2_params bad[9];
    for (size_t i = 0; i < 9; i++) {
        bad[i] = good;
    }
    bad[0].version = 0x12;
    bad[1].memory = 15;
    bad[2].passes = 0;
    bad[3].lanes = 0;
    bad[4].salt.len = 7;
    bad[5].size = 3;
    bad[6].size = ARGON2_TAG_MAX + 1;
    bad[7].kind = (argon2_kind)3;
    bad[8].lanes = 0x1000000, bad[8].memory = UINT32_MAX;
    if (fb_argon2_params_check(&good) != STATUS_OK
        || fb_argon2_engine_find("none") != NULL) {
        failures[0]++;
    }
    for (size_t i = 0; i < 9; i++) {
        if (fb_argon2_params_check(&bad[i]) != STATUS_HASH_MALFORMED
            || fb_argon2_compute(fb_argon2_engine_find(NULL), &bad[i],
                                 (span){"", 0}, NULL, 1, NULL)
                   != STATUS_HASH_MALFORMED) {
            printf("not refused: %zu\n", i);
            failures[0]++;
        }
    }
}

/* RFC 7693 A, and libcrypto's in random pieces. */
static void
check_blake2b(unsigned cases)
{
    unsigned char ours[BLAKE2B_MAX], theirs[BLAKE2B_MAX];
    char bytes[700];
    blake2b state;
    fb_blake2b_init(&state, BLAKE2B_MAX);
    fb_blake2b_update(&state, "abc", 3);
    fb_blake2b_final(&state, ours);
    blake_failures +=
        memcmp(ours,
               "\xba\x80\xa5\x3f\x98\x1c\x4d\x0d\x6a\x27\x97\xb6\x9f\x12\xf6"
               "\xe9\x4c\x21\x2f\x14\x68\x5a\xc4\xb7\x4b\x12\xbb\x6f\xdb\xff"
               "\xa2\xd1\x7d\x87\xc5\x39\x2a\xab\x79\x2d\xc2\x52\xd5\xde\x45"
               "\x33\xcc\x95\x18\xd3\x8a\xa8\xdb\xf1\x92\x5a\xb9\x23\x86\xed"
               "\xd4\x00\x99\x23",
               64)
        != 0;
    for (unsigned i = 0; i < cases; i++) {
        size_t len = draw_between(0, sizeof bytes);
        draw_bytes(bytes, len);
        fb_blake2b_init(&state, BLAKE2B_MAX);
        for (size_t at = 0, some; at < len; at += some) {
            some = draw_between(0, len - at);
            fb_blake2b_update(&state, bytes + at, some);
        }
        fb_blake2b_final(&state, ours);
        EVP_Digest(bytes, len, theirs, NULL, EVP_blake2b512(), NULL);
        blake_failures += memcmp(ours, theirs, BLAKE2B_MAX) != 0;
    }
}

int
main(int argc, char **argv)
{
    unsigned cases = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 5000;
    unsigned sum = 0;
    seed = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
    check_blake2b(cases);
    check_rfc();
    check_refusals();
    check_known();
    for (unsigned i = 0; i < cases; i++) {
        check_random();
    }
    sum += blake_failures;
    printf("blake2b: %u wrong\n", blake_failures);
    for (size_t i = 0; i < NAMES; i++) {
        bool is_there = fb_argon2_engine_find(names[i]) != NULL;
        printf("%s: %s, %u wrong\n", names[i],
               is_there ? "tested" : "NOT ON THIS MACHINE", failures[i]);
        sum += failures[i];
    }
    printf("%u random cases, %u threads refused\n", cases, threads_refused);
    return sum == 0 ? 0 : 1;
}
