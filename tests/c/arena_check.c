/*
 * Whether threads that hash have no more memory than one arena each, whatever
 * one of them does between two steps of another; and for how long idle memory
 * is kept.
 *
 * It prints what is wrong, and fails if something is.
 */
#include "password/password.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define BYTES 64

static int64_t now;
static unsigned mapped, most_mapped;

/* After so many steps another thread takes an arena; never where it is 0. */
static unsigned steps_left;
static arenas *shared;
static arena *theirs;

static void
step(void)
{
    if (steps_left > 0 && --steps_left == 0) {
        theirs = fb_arena_take(shared, BYTES);
    }
}

static int64_t
steady_seconds(void)
{
    return now;
}

static void *
map_counted(size_t bytes)
{
    mapped++;
    most_mapped = mapped > most_mapped ? mapped : most_mapped;
    return malloc(bytes);
}

static void
unmap_counted(void *pages)
{
    mapped--;
    free(pages);
}

#undef atomic_load
#undef atomic_store
#undef atomic_exchange
#undef atomic_compare_exchange_strong
#define atomic_load(place)                                                    \
    (step(), atomic_load_explicit(place, memory_order_seq_cst))
#define atomic_store(place, value)                                            \
    (step(), atomic_store_explicit(place, value, memory_order_seq_cst))
#define atomic_exchange(place, value)                                         \
    (step(), atomic_exchange_explicit(place, value, memory_order_seq_cst))
#define atomic_compare_exchange_strong(place, expected, value)                \
    (step(),                                                                  \
     atomic_compare_exchange_strong_explicit(                                 \
         place, expected, value, memory_order_seq_cst, memory_order_seq_cst))
#define fb_platform_seconds steady_seconds
#define fb_platform_map map_counted
#define fb_platform_unmap(pages, bytes) ((void)(bytes), unmap_counted(pages))
#include "password/argon2/arena.c"

/* Two threads, of which one does this while the other takes an arena; false
 * where the other did not come any more. */
static bool
is_met(bool gives, unsigned steps, unsigned *failures)
{
    arenas all = {.most = 2};
    shared = &all;
    theirs = NULL;
    mapped = most_mapped = 0;
    arena *own = fb_arena_take(&all, BYTES);
    fb_arena_give(&all, fb_arena_take(&all, BYTES));
    steps_left = steps;
    if (gives) {
        fb_arena_give(&all, own);
    }
    else {
        (void)fb_arena_release(&all, 1);
    }
    steps_left = 0;
    bool came = theirs != NULL;
    if (most_mapped > 2) {
        printf("%s, step %u: %u arenas for two threads\n",
               gives ? "give" : "release", steps, most_mapped);
        ++*failures;
    }
    if (!gives) {
        fb_arena_give(&all, own);
    }
    if (came) {
        fb_arena_give(&all, theirs);
    }
    if (fb_arena_release(&all, 0) != 0 || mapped != 0) {
        printf("step %u: memory is left\n", steps);
        ++*failures;
    }
    return came;
}

static bool
is_left(arenas *all, size_t expected)
{
    size_t left = fb_arena_release(all, 5);
    if (left != expected || mapped != expected) {
        printf("after %d s: %zu of %zu are left\n", (int)now, left, expected);
    }
    return left == expected && mapped == expected;
}

/* Each is kept for as long as nobody has used it. */
static bool
is_kept_for_a_while(void)
{
    arenas all = {.most = 2};
    mapped = 0;
    now = 100;
    arena *one = fb_arena_take(&all, BYTES), *other = fb_arena_take(&all, BYTES);
    fb_arena_give(&all, one);
    fb_arena_give(&all, other);
    bool ok = is_left(&all, 2);
    now = 104;
    ok = is_left(&all, 2) && ok;
    fb_arena_give(&all, fb_arena_take(&all, BYTES)); /* is used once more */
    now = 108;
    ok = is_left(&all, 1) && ok;
    now = 109;
    return is_left(&all, 0) && ok;
}

/* Who gives an arena gives back what has been idle for ten seconds. */
static bool
is_released_by_who_gives(void)
{
    arenas all = {.most = 2};
    mapped = 0;
    now = 100;
    arena *own = fb_arena_take(&all, BYTES);
    fb_arena_give(&all, fb_arena_take(&all, BYTES));
    now = 110;
    fb_arena_give(&all, own);
    return is_left(&all, 1) && fb_arena_release(&all, 0) == 0;
}

int
main(void)
{
    unsigned failures = 0, met = 0;
    for (int gives = 0; gives < 2; gives++) {
        unsigned steps = 1;
        while (is_met(gives, steps, &failures)) {
            steps++;
            met++;
        }
    }
    bool ok = is_kept_for_a_while();
    ok = is_released_by_who_gives() && ok;
    return failures == 0 && met > 4 && ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
