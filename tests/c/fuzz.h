/*
 * What the fuzz targets share. Each is one LLVMFuzzerTestOneInput, which links
 * with the lower storey alone: `make fuzz SECONDS=60` builds and runs them all,
 * with clang's libFuzzer or, where there is none, with fuzz_main.c. The target
 * fuzz_x begins from tests/c/seeds/x and knows the words of seeds/x.dict.
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

/* What is left of an input: its first bytes say what to do with the rest. */
typedef struct {
    const uint8_t *p;
    size_t len;
} intake;

static inline uint8_t
intake_byte(intake *from)
{
    if (from->len == 0) {
        return 0;
    }
    from->len--;
    return *from->p++;
}

/* At most that many bytes, in a block of their own. */
static inline span
intake_span(intake *from, size_t most)
{
    size_t len = most < from->len ? most : from->len;
    span taken = {exact_copy(from->p, len), len};
    from->p += len;
    from->len -= len;
    return taken;
}

/* Exactly that many bytes, of which those that are not there are zero. */
static inline unsigned char *
intake_block(intake *from, size_t size)
{
    span taken = intake_span(from, size);
    unsigned char *block = exact_room(size);
    memset(block, 0, size);
    if (taken.len > 0) {
        memcpy(block, taken.p, taken.len);
    }
    free((void *)taken.p);
    return block;
}

static inline void
span_free(span taken)
{
    free((void *)taken.p);
}

static inline bool
is_same(span one, span other)
{
    return one.len == other.len
           && (one.len == 0 || memcmp(one.p, other.p, one.len) == 0);
}

static inline const digests *
all_digests(void)
{
    static digests all;
    static bool is_fetched;
    if (!is_fetched) {
        is_fetched = fb_digest_fetch_all(&all, false);
        MUST(is_fetched);
        all.by_sodium = fb_sodium_has_ed25519();
    }
    return &all;
}

#endif
