/* Argon2's memory (RFC 9106 3.4): which block is made of which, by whom. */
#include "password/password.h"

#include "password/argon2/argon2_inner.h"

#define TOGETHER 4 /* lanes */

/* --- a lane's part of a slice -------------------------------------------- */

typedef struct {
    const argon2_engine *engine;
    argon2_block *lane, *blocks; /* of the whole lane, of the part */
    argon2_next next;
    bool is_known; /* 3.4.1.2: what is referred to is known beforehand */
    bool add;
    argon2_block input, words;
} part;

/* 3.4.1.2: the words by which the next 128 blocks find their references. */
static void
part_foresee(part *of)
{
    static const argon2_block zero = {{0}};
    argon2_block once;
    of->input.words[argon2_word(6)]++;
    of->engine->fill(&zero, &of->input, &once, false, NULL);
    of->engine->fill(&zero, &once, &of->words, false, NULL);
}

static void
part_begin(part *of, const argon2_memory *in, uint32_t pass, uint32_t slice,
           uint32_t lane)
{
    uint32_t size = in->length / ARGON2_SLICES;
    argon2_block *blocks = in->blocks + (size_t)lane * in->length;
    *of = (part){
        .engine = in->engine,
        .lane = blocks,
        .blocks = blocks + slice * size,
        .next = {.blocks = in->blocks,
                 .lane = lane,
                 .lanes = in->lanes,
                 .length = in->length,
                 .oldest = pass == 0 ? 0 : (slice + 1) % ARGON2_SLICES * size,
                 .old = pass == 0 ? slice * size : in->length - size,
                 .is_own_only = pass == 0 && slice == 0},
        .is_known = in->kind == ARGON2_I
                    || (in->kind == ARGON2_ID && pass == 0
                        && slice < ARGON2_SLICES / 2),
        .add = pass > 0 && !in->overwrites,
    };
    const uint64_t input[] = {pass,       lane,
                              slice,      (uint64_t)in->lanes * in->length,
                              in->passes, in->kind};
    for (size_t i = 0; i < sizeof input / sizeof *input; i++) {
        of->input.words[argon2_word(i)] = input[i];
    }
    if (of->is_known) {
        part_foresee(of);
    }
}

static inline const argon2_block *
part_previous(const part *of, uint32_t index)
{
    const argon2_block *to = of->blocks + index;
    return (to == of->lane ? to + of->next.length : to) - 1;
}

static void
part_aim(part *of, uint32_t index)
{
    uint64_t word = part_previous(of, index)->words[0];
    if (of->is_known) {
        if (index > 0 && index % ARGON2_WORDS == 0) {
            part_foresee(of);
        }
        word = of->words.words[argon2_word(index % ARGON2_WORDS)];
    }
    of->next.index = index;
    argon2_next_find(&of->next, word);
}

static inline void
part_fill(part *of, uint32_t index, bool is_last)
{
    argon2_block *to = of->blocks + index;
    const argon2_block *reference = of->next.reference;
    argon2_next *next = NULL;
    if (!is_last) {
        argon2_block_fetch(to + 1);
        if (of->is_known) {
            part_aim(of, index + 1);
        } else {
            of->next.index = index + 1;
            next = &of->next;
        }
    }
    of->engine->fill(part_previous(of, index), reference, to, of->add, next);
}

/* A few lanes at a time: while one waits for memory, another is computed. */
static void
parts_fill(const argon2_memory *in, uint32_t pass, uint32_t slice,
           uint32_t lane, uint32_t count)
{
    part parts[TOGETHER];
    uint32_t size = in->length / ARGON2_SLICES;
    uint32_t first = pass == 0 && slice == 0 ? 2 : 0;
    for (uint32_t i = 0; i < count; i++) {
        part_begin(&parts[i], in, pass, slice, lane + i);
        part_aim(&parts[i], first);
    }
    for (uint32_t index = first; index < size; index++) {
        for (uint32_t i = 0; i < count; i++) {
            part_fill(&parts[i], index, index + 1 == size);
        }
    }
}

/* --- threads ------------------------------------------------------------- */

/* 3.4: within a slice no lane needs what another one makes. */
static void
lanes_fill(threads_team *team, unsigned number, unsigned size, void *with)
{
    const argon2_memory *memory = with;
    uint32_t from = (uint32_t)((uint64_t)memory->lanes * number / size);
    uint32_t to = (uint32_t)((uint64_t)memory->lanes * (number + 1) / size);
    for (uint32_t pass = 0; pass < memory->passes; pass++) {
        for (uint32_t slice = 0; slice < ARGON2_SLICES; slice++) {
            for (uint32_t lane = from; lane < to; lane += TOGETHER) {
                uint32_t left = to - lane;
                parts_fill(memory, pass, slice, lane,
                           left < TOGETHER ? left : TOGETHER);
            }
            fb_threads_wait(team);
        }
    }
}

void
fb_argon2_memory_fill(argon2_memory *memory, unsigned threads)
{
    unsigned most = threads < memory->lanes ? threads : memory->lanes;
    fb_threads_run(most, lanes_fill, memory);
}
