/*
 * The lower storey, second half: passwords. A part of core.h, which includes
 * it; its manner is the same.
 */
#ifndef FASTBEARER_HASHING_H
#define FASTBEARER_HASHING_H

#include <stdatomic.h>

/* --- blake2b.c: BLAKE2b without a key (RFC 7693) ------------------------------- */

#define BLAKE2B_BLOCK 128
#define BLAKE2B_MAX 64

typedef struct {
    uint64_t chain[8], count; /* bytes so far, those in block too */
    size_t size, used;        /* bytes of the digest; of block */
    unsigned char block[BLAKE2B_BLOCK];
} blake2b;

/* size is 1..BLAKE2B_MAX, and what blake2b_final writes; it wipes the state. */
void blake2b_init(blake2b *state, size_t size);
void blake2b_update(blake2b *state, const void *bytes, size_t len);
void blake2b_final(blake2b *state, unsigned char *out);

/* H' of RFC 9106 3.3: any number of bytes from 1. */
void blake2b_long(span message, unsigned char *out, size_t size);

/* --- argon2_fill.c: Argon2's compression, in what the CPU has -------------------- */

#define ARGON2_WORDS 128
#define ARGON2_SLICES 4

/* In an order of the fill functions' own, that is the same for all of them:
 * argon2_word says where RFC 9106's word is; word 0 stays where it is. */
typedef struct {
    _Alignas(64) uint64_t words[ARGON2_WORDS];
} argon2_block;

static inline size_t
argon2_word(size_t word)
{
    return (word & 96) | (word & 12) << 1 | (word & 16) >> 2 | (word & 3);
}

/* Has the CPU get it: into the second cache, for many more lines can be on
 * their way there than to the first. */
static inline void
argon2_block_fetch(const argon2_block *block)
{
    for (size_t i = 0; i < ARGON2_WORDS; i += 8) {
        __builtin_prefetch(block->words + i, 0, 2);
    }
}

/* Which blocks the next one may refer to (RFC 9106 3.4.2), and which it does. */
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

typedef struct {
    const char *name; /* "portable", "avx2", "avx512" */
    bool (*is_supported)(void);
    /* *to = G(previous, reference), RFC 9106 3.5; with add, ^= instead. If
     * next is not NULL, its reference is found by word 0, as soon as may be. */
    void (*fill)(const argon2_block *previous, const argon2_block *reference,
                 argon2_block *to, bool add, argon2_next *next);
} argon2_engine;

/* The engine of that name, or for NULL the fastest; NULL if this CPU cannot
 * run it. */
const argon2_engine *argon2_engine_find(const char *name);

/* --- argon2_lanes.c: Argon2's memory ---------------------------------------------- */

typedef enum { ARGON2_D, ARGON2_I, ARGON2_ID } argon2_kind; /* RFC 9106's y */

typedef struct {
    const argon2_engine *engine;
    argon2_block *blocks; /* lane by lane */
    uint32_t lanes, length /* of a lane, in blocks */, passes;
    argon2_kind kind;
    bool overwrites; /* version 0x10: later passes do not add */
} argon2_memory;

/* Goes through the memory passes times. The first two blocks of every lane
 * are there. At most `threads` threads work, as argon2_compute says. */
void argon2_memory_fill(const argon2_memory *memory, unsigned threads);

/* --- argon2_core.c: Argon2 (RFC 9106) -------------------------------------------- */

typedef struct {
    argon2_kind kind;
    uint32_t version; /* 0x13, or 0x10 for hashes from before 2016 */
    uint32_t memory;  /* KiB */
    uint32_t passes, lanes;
    span salt, secret, data; /* RFC 9106's S, K, X */
    size_t size;             /* bytes of the tag */
} argon2_params;

#define ARGON2_TAG_MIN 4
#define ARGON2_TAG_MAX 1024
#define ARGON2_SALT_MIN 8
#define ARGON2_LANES_MAX 0xffffff

/* What is outside RFC 9106 3.1, or of another version or size. */
status argon2_params_check(const argon2_params *params);

/* Bytes of memory that checked parameters need: at most memory * 1024. */
size_t argon2_arena_size(const argon2_params *params);

/*
 * Writes the tag, params->size bytes. The arena has argon2_arena_size bytes,
 * aligned to 64; what it held before does not matter. It is wiped after a
 * single pass only, for after more of them it saves a guesser less than half
 * of the work. At most `threads` threads compute, of which the caller's is
 * one; if fewer can be made, fewer do. Refuses what argon2_params_check does.
 */
status argon2_compute(const argon2_engine *engine, const argon2_params *params,
                      span password, void *blocks, unsigned threads,
                      unsigned char *tag);

/* --- argon2_library.c: the same by libargon2 --------------------------------------- */

/* Like argon2_compute, with memory of its own. */
status argon2_library_compute(const argon2_params *params, span password,
                              unsigned threads, unsigned char *tag);

/* --- arena.c: memory for Argon2, kept from one hash to the next --------------------- */

typedef struct {
    void *memory; /* aligned to 64, in huge pages where there are some */
    size_t bytes;
    int64_t idle_since; /* seconds of a steady clock */
} arena;

#define ARENAS_MAX 64

/* Any number of threads may share them, and a fork is no harm. */
typedef struct {
    _Atomic(arena *) idle[ARENAS_MAX];
    size_t most; /* arenas that are kept */
} arenas;

/* Of at least that many bytes, holding anything; NULL without memory. */
arena *arena_take(arenas *from, size_t bytes);

/* For the next one to take, or back to the system. */
void arena_give(arenas *to, arena *done);

/* Gives back what was idle for so many seconds; returns how many are left. */
size_t arenas_release(arenas *of, int64_t seconds);

/* --- format.c: password hash formats, told apart by their text ------------ */

#define HASH_TEXT_MAX 512

/* With what Argon2 is computed. */
typedef struct {
    const argon2_engine *engine; /* NULL: libargon2 */
    arenas *arenas;
    bool wipes; /* overwrites the memory of every hash at its end */
} hash_means;

typedef struct {
    char text[HASH_TEXT_MAX];
    size_t len;
} hash_text;

/* A setting is a whole hash, or one that ends before its digest. */
typedef struct {
    const char *name;
    const char *prefixes[4]; /* NULL after the last */
    /*
     * Refuses a setting that is malformed or too costly, without any work.
     * Where its digest begins, or 0 if it ends before one.
     */
    status (*check)(span setting, size_t *digest);
    /* Checks and hashes; under a whole hash, the same digest comes again. */
    status (*make)(const hash_means *means, span password, span setting,
                   unsigned threads, hash_text *out);
} format;

/* The format of a setting, or NULL. */
const format *format_find(span setting);

/* Whether the password made the hash; refuses a malformed or costly hash. At
 * most `threads` threads work, of which the caller's is one. */
status format_verify(const hash_means *means, span password, span hash,
                     unsigned threads, bool *matches);

/* --- argon2.c, bcrypt.c ---------------------------------------------------- */

/* PHC text: $argon2id$v=19$m=KiB,t=passes,p=lanes$salt[$digest]; also
 * argon2i and argon2d, and without v= the version before RFC 9106. */
status argon2_check(span setting, size_t *digest);
status argon2_make(const hash_means *means, span password, span setting,
                   unsigned threads, hash_text *out);

/* $2b$cost$ and 22 characters of salt [and 31 of digest]. */
status bcrypt_check(span setting, size_t *digest);
status bcrypt_make(const hash_means *means, span password, span setting,
                   unsigned threads, hash_text *out);

#endif
