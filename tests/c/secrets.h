/*
 * What the checks of constant time share. What is SECRET is, for valgrind's
 * memcheck, memory that nobody has written: it follows it through every copy
 * and computation, and tells of each branch and each address that depends on
 * it. `make secrets` runs them so; run alone, they check the verdicts only.
 *
 * One thing that is computed from a secret is public: what a comparison in
 * constant time says. So fb_equal_macs and CRYPTO_memcmp, and nothing else, make
 * it PUBLIC.
 */
#ifndef FASTBEARER_SECRETS_H
#define FASTBEARER_SECRETS_H

#include "crypto/crypto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#define SECRET(p, len) VALGRIND_MAKE_MEM_UNDEFINED(p, len)
#define PUBLIC(p, len) VALGRIND_MAKE_MEM_DEFINED(p, len)
#define SECRETS_SEEN VALGRIND_COUNT_ERRORS
#else
#define SECRET(p, len) ((void)(p), (void)(len))
#define PUBLIC(p, len) ((void)(p), (void)(len))
#define SECRETS_SEEN 0u
#endif

/* Ends the run where a verdict is wrong. */
#define MUST(condition)                                                       \
    do {                                                                      \
        if (!(condition)) {                                                   \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__,        \
                    #condition);                                              \
            abort();                                                          \
        }                                                                     \
    } while (0)

int __real_CRYPTO_memcmp(const void *one, const void *other, size_t len);
int
__wrap_CRYPTO_memcmp(const void *one, const void *other, size_t len)
{
    int differs = __real_CRYPTO_memcmp(one, other, len);
    PUBLIC(&differs, sizeof differs);
    return differs != 0;
}

bool __real_fb_equal_macs(const unsigned char *one, const unsigned char *other,
                          size_t len);
bool __wrap_fb_equal_macs(const unsigned char *one, const unsigned char *other,
                          size_t len);
bool
__wrap_fb_equal_macs(const unsigned char *one, const unsigned char *other,
                     size_t len)
{
    bool equal = __real_fb_equal_macs(one, other, len);
    PUBLIC(&equal, sizeof equal);
    return equal;
}

/* A copy that is secret, in a block of its own. */
static inline unsigned char *
secret_copy(const void *bytes, size_t len)
{
    unsigned char *copy = malloc(len + 1);
    MUST(copy != NULL);
    memcpy(copy, bytes, len);
    SECRET(copy, len);
    return copy;
}

/* Says how many branches and addresses have depended on a secret since there
 * were `before`, and returns whether there was one. */
static inline bool
secrets_leaked(unsigned before, const char *what)
{
    unsigned seen = SECRETS_SEEN - before;
    if (seen > 0) {
        printf("%s: %u times, what is done depends on a secret\n", what, seen);
        fflush(stdout);
    }
    return seen > 0;
}

#endif
