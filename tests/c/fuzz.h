/*
 * What the fuzz targets share. Each is one LLVMFuzzerTestOneInput, which links
 * with the lower storey alone: `make fuzz SECONDS=60` builds and runs them all,
 * with clang's libFuzzer or, where there is none, with fuzz_main.c.
 */
#ifndef FASTBEARER_FUZZ_H
#define FASTBEARER_FUZZ_H

#include "crypto/crypto.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the run, also where assert() is compiled away. */
#define MUST(condition)                                                       \
    do {                                                                      \
        if (!(condition)) {                                                   \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__,        \
                    #condition);                                              \
            abort();                                                          \
        }                                                                     \
    } while (0)

/* A block of exactly that size: a sanitizer sees the first byte beyond it. */
static inline void *
exact_room(size_t size)
{
    void *room = malloc(size);
    MUST(room != NULL || size == 0);
    return room;
}

static inline char *
exact_copy(const void *bytes, size_t size)
{
    char *copy = exact_room(size);
    if (size > 0) {
        memcpy(copy, bytes, size);
    }
    return copy;
}

static inline bool
is_within(span part, span whole)
{
    return part.p >= whole.p && part.len <= whole.len
           && (size_t)(part.p - whole.p) <= whole.len - part.len;
}

static inline const digests *
all_digests(void)
{
    static digests all;
    static bool is_fetched;
    if (!is_fetched) {
        is_fetched = fb_digest_fetch_all(&all, false);
        MUST(is_fetched);
    }
    return &all;
}

#endif
