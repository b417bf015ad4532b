/* Argon2 (RFC 9106): from a password to the first blocks, and from the last
 * ones to the tag. */
#include "password/password.h"

#include <openssl/crypto.h>

#include "password/argon2/argon2_inner.h"

#define BLOCK 1024 /* bytes */
#define HASH 64    /* bytes of H0 */
#define SALT_MIN 8 /* 3.1, as the next one */
#define LANES_MAX 0xffffff

static void
store32(uint32_t word, unsigned char *bytes)
{
    for (int i = 0; i < 4; i++, word >>= 8) {
        bytes[i] = (unsigned char)word;
    }
}

/* --- parameters ---------------------------------------------------------- */

/* RFC 9106 3.1 */
status
fb_argon2_params_check(const argon2_params *params)
{
    bool ok =
        params->kind <= ARGON2_ID
        && (params->version == 0x13 || params->version == 0x10)
        && params->passes > 0 && params->lanes > 0
        && params->lanes <= LANES_MAX && params->memory / 8 >= params->lanes
        && params->size >= ARGON2_TAG_MIN && params->size <= ARGON2_TAG_MAX
        && params->salt.len >= SALT_MIN && params->salt.len <= UINT32_MAX
        && params->secret.len <= UINT32_MAX && params->data.len <= UINT32_MAX;
    return ok ? STATUS_OK : STATUS_HASH_MALFORMED;
}

/* Blocks of a lane: 3.2, step 2. */
static uint32_t
lane_length(const argon2_params *params)
{
    return params->memory / (ARGON2_SLICES * params->lanes) * ARGON2_SLICES;
}

size_t
fb_argon2_arena_size(const argon2_engine *engine, const argon2_params *params)
{
    return engine->fill == NULL
               ? 0
               : (size_t)lane_length(params) * params->lanes * BLOCK;
}

/* --- the first blocks and the last ones ---------------------------------- */

static void
update_number(blake2b *state, uint32_t number)
{
    unsigned char bytes[4];
    store32(number, bytes);
    fb_blake2b_update(state, bytes, sizeof bytes);
}

static void
update_span(blake2b *state, span bytes)
{
    update_number(state, (uint32_t)bytes.len);
    fb_blake2b_update(state, bytes.p, bytes.len);
}

/* 3.2, step 1 */
static void
hash_all(const argon2_params *params, span password, unsigned char *hash)
{
    const uint32_t numbers[] = {params->lanes,   (uint32_t)params->size,
                                params->memory,  params->passes,
                                params->version, (uint32_t)params->kind};
    blake2b state;
    fb_blake2b_init(&state, HASH);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        update_number(&state, numbers[i]);
    }
    update_span(&state, password);
    update_span(&state, params->salt);
    update_span(&state, params->secret);
    update_span(&state, params->data);
    fb_blake2b_final(&state, hash);
}

static void
block_read(argon2_block *block, const unsigned char *bytes)
{
    for (size_t i = 0; i < ARGON2_WORDS; i++) {
        uint64_t word = 0;
        for (size_t j = 8; j > 0; j--) {
            word = word << 8 | bytes[8 * i + j - 1];
        }
        block->words[argon2_word(i)] = word;
    }
}

static void
block_write(const argon2_block *block, unsigned char *bytes)
{
    for (size_t i = 0; i < ARGON2_WORDS; i++) {
        uint64_t word = block->words[argon2_word(i)];
        store32((uint32_t)word, bytes + 8 * i);
        store32((uint32_t)(word >> 32), bytes + 8 * i + 4);
    }
}

/* 3.2, steps 3 and 4 */
static void
begin(const argon2_memory *memory, const argon2_params *params, span password)
{
    unsigned char seed[HASH + 8], bytes[BLOCK];
    hash_all(params, password, seed);
    for (uint32_t lane = 0; lane < memory->lanes; lane++) {
        for (uint32_t i = 0; i < 2; i++) {
            store32(i, seed + HASH);
            store32(lane, seed + HASH + 4);
            fb_blake2b_long((span){(const char *)seed, sizeof seed}, bytes,
                            sizeof bytes);
            block_read(&memory->blocks[(size_t)lane * memory->length + i],
                       bytes);
        }
    }
    OPENSSL_cleanse(seed, sizeof seed);
    OPENSSL_cleanse(bytes, sizeof bytes);
}

/* 3.2, steps 7 and 8 */
static void
finish(const argon2_memory *memory, unsigned char *tag, size_t size)
{
    unsigned char bytes[BLOCK];
    argon2_block sum = {{0}};
    for (uint32_t lane = 0; lane < memory->lanes; lane++) {
        const argon2_block *last =
            &memory->blocks[((size_t)lane + 1) * memory->length - 1];
        for (size_t i = 0; i < ARGON2_WORDS; i++) {
            sum.words[i] ^= last->words[i];
        }
    }
    block_write(&sum, bytes);
    fb_blake2b_long((span){(const char *)bytes, sizeof bytes}, tag, size);
    OPENSSL_cleanse(&sum, sizeof sum);
    OPENSSL_cleanse(bytes, sizeof bytes);
}

/* Of a single pass the first blocks are left, by which a password could be
 * guessed without the memory and the time. */
static void
wipe(const argon2_memory *memory)
{
    if (memory->passes == 1) {
        OPENSSL_cleanse(memory->blocks, (size_t)memory->lanes * memory->length
                                            * sizeof *memory->blocks);
    }
}

status
fb_argon2_compute(const argon2_engine *engine, const argon2_params *params,
                  span password, void *blocks, unsigned threads,
                  unsigned char *tag)
{
    if (fb_argon2_params_check(params) != STATUS_OK
        || password.len > UINT32_MAX) {
        return STATUS_HASH_MALFORMED;
    }
    if (engine->fill == NULL) {
        return engine->compute(params, password, threads, tag);
    }
    argon2_memory memory = {.engine = engine,
                            .blocks = blocks,
                            .lanes = params->lanes,
                            .length = lane_length(params),
                            .passes = params->passes,
                            .kind = params->kind,
                            .overwrites = params->version == 0x10};
    begin(&memory, params, password);
    fb_argon2_memory_fill(&memory, threads);
    finish(&memory, tag, params->size);
    wipe(&memory);
    return STATUS_OK;
}
