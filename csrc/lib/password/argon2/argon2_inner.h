/* What the files of Argon2 share among themselves. */
#ifndef FASTBEARER_ARGON2_INNER_H
#define FASTBEARER_ARGON2_INNER_H

#include "password/password.h"

/* --- blake2b.c: BLAKE2b without a key (RFC 7693) ------------------------- */

#define BLAKE2B_BLOCK 128
#define BLAKE2B_MAX 64

typedef struct {
    uint64_t chain[8], count; /* bytes so far, those in block too */
    size_t size, used;        /* bytes of the digest; of block */
    unsigned char block[BLAKE2B_BLOCK];
} blake2b;

/* size is 1..BLAKE2B_MAX, and what fb_blake2b_final writes; it wipes the
 * state. */
void fb_blake2b_init(blake2b *state, size_t size);
void fb_blake2b_update(blake2b *state, const void *bytes, size_t len);
void fb_blake2b_final(blake2b *state, unsigned char *out);

/* H' of RFC 9106 3.3: any number of bytes from 1. */
void fb_blake2b_long(span message, unsigned char *out, size_t size);

/* --- argon2_fill.c: Argon2's compression --------------------------------- */

#define ARGON2_WORDS 128
#define ARGON2_SLICES 4

/* In an order of the fill functions' own, which is the same for all of them:
 * argon2_word says where RFC 9106's word is; word 0 stays where it is. */
typedef struct {
    _Alignas(64) uint64_t words[ARGON2_WORDS];
} argon2_block;

static inline size_t
argon2_word(size_t word)
{
    return (word & 96) | (word & 12) << 1 | (word & 16) >> 2 | (word & 3);
}

/* Has the CPU fetch it into the first cache: it is read a block later, and
 * would be waited for once more on its way from the second. */
static inline void
argon2_block_fetch(const argon2_block *block)
{
#ifdef __GNUC__
    for (size_t i = 0; i < ARGON2_WORDS; i += 8) {
        __builtin_prefetch(block->words + i, 0, 3);
    }
#else
    (void)block;
#endif
}

/* Which blocks the next one may refer to (RFC 9106 3.4.2), and which it
 * does. */
typedef struct {
    const argon2_block *blocks;   /* the memory, lane by lane */
    uint32_t lane, lanes, length; /* this one; how many; of each, in blocks */
    uint32_t index;               /* of the next block in its part */
    uint32_t oldest, old;         /* of each lane: from where, how many ... */
    bool is_own_only;             /* ... unless it is this lane only */
    const argon2_block *reference;
} argon2_next;

/* Follows a word to the reference, and fetches it. */
static inline void
argon2_next_find(argon2_next *next, uint64_t word)
{
    bool is_own = next->is_own_only || next->lanes == 1;
    uint32_t lane = is_own ? next->lane : (uint32_t)(word >> 32) % next->lanes;
    uint32_t among = lane == next->lane ? next->old + next->index - 1
                                        : next->old - (next->index == 0);
    uint64_t square = (word & UINT32_MAX) * (word & UINT32_MAX) >> 32;
    uint64_t at = (uint64_t)next->oldest + among - 1 - (among * square >> 32);
    at -= at >= next->length ? next->length : 0;
    next->reference = next->blocks + (size_t)lane * next->length + at;
    argon2_block_fetch(next->reference);
}

struct argon2_engine {
    const char *name;
    bool (*is_supported)(void);
    /* *to = G(previous, reference), RFC 9106 3.5; with add, ^= instead. If
     * next is not NULL, its reference is found by word 0, as soon as word 0
     * is known. */
    void (*fill)(const argon2_block *previous, const argon2_block *reference,
                 argon2_block *to, bool add, argon2_next *next);
    /* Instead of fill: the tag of checked parameters, without our blocks. */
    CHECKED status (*compute)(const argon2_params *params, span password,
                              unsigned threads, unsigned char *tag);
};

/* --- argon2_neon.c: the same, faster ------------------------------------- */

#if defined(__aarch64__) && defined(__ARM_NEON) && !defined(__AARCH64EB__)
#define ARGON2_NEON
void fb_argon2_fill_neon(const argon2_block *previous,
                         const argon2_block *reference, argon2_block *to,
                         bool add, argon2_next *next);
#endif

/* --- argon2_wide.c: the faster ones -------------------------------------- */

/* The fastest first; after the last, one without a name. */
extern const argon2_engine fb_argon2_wide[];

/* --- argon2_library.c: libargon2 ----------------------------------------- */

/* NULL where this was built without it. */
const argon2_engine *fb_argon2_library(void);

/* --- argon2_lanes.c: Argon2's memory ------------------------------------- */

typedef struct {
    const argon2_engine *engine;
    argon2_block *blocks; /* lane by lane */
    uint32_t lanes, length /* of a lane, in blocks */, passes;
    argon2_kind kind;
    bool overwrites; /* version 0x10: later passes do not add */
} argon2_memory;

/* Goes through the memory passes times. The first two blocks of every lane
 * are there. At most `threads` threads work, as fb_argon2_compute says. */
void fb_argon2_memory_fill(argon2_memory *memory, unsigned threads);

#endif
