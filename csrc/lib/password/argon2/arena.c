/* Memory for Argon2. Fresh pages cost a third of a hash: the system fills them
 * with zeros, one by one unless they are huge. So they are kept for a
 * while. */
#include "password/password.h"

#include <stdlib.h>

#define IDLE_SECONDS 10
#define IDLE_BYTES_MAX ((size_t)256 << 20) /* a larger one is not kept */

static arena *
arena_make(size_t bytes)
{
    arena *made = malloc(sizeof *made);
    if (made == NULL) {
        return NULL;
    }
    made->bytes = bytes;
    made->memory = fb_platform_map(bytes);
    if (made->memory == NULL) {
        free(made);
        return NULL;
    }
    return made;
}

static void
arena_unmake(arena *unused)
{
    if (unused != NULL) {
        fb_platform_unmap(unused->memory, unused->bytes);
        free(unused);
    }
}

arena *
fb_arena_take(arenas *from, size_t bytes)
{
    for (size_t i = 0; i < from->most; i++) {
        arena *found = atomic_exchange(&from->idle[i], NULL);
        if (found != NULL && found->bytes >= bytes) {
            return found;
        }
        arena_unmake(found); /* too small, and its place is wanted */
    }
    return arena_make(bytes);
}

/* Into a free place, or else back to the system. */
static void
keep(arenas *to, arena *one)
{
    int64_t now = fb_platform_seconds();
    for (size_t i = 0; one != NULL && i < to->most; i++) {
        arena *expected = NULL;
        if (atomic_load(&to->idle[i]) == NULL) {
            atomic_store(&to->idle_since[i], now);
            if (atomic_compare_exchange_strong(&to->idle[i], &expected, one)) {
                one = NULL;
            }
        }
    }
    arena_unmake(one);
}

/* It is kept first: what is old is given back where the next thread already
 * finds this one. */
void
fb_arena_give(arenas *to, arena *done)
{
    if (done->bytes > IDLE_BYTES_MAX) {
        arena_unmake(done);
    } else {
        keep(to, done);
    }
    fb_arena_release(to, IDLE_SECONDS);
}

/* What stays is left in its place, since a thread that did not find it there
 * would take more memory. What is given meanwhile may go for what was there
 * before: then the next hash has fresh pages. */
size_t
fb_arena_release(arenas *of, int64_t seconds)
{
    size_t left = 0;
    int64_t now = fb_platform_seconds();
    for (size_t i = 0; i < of->most; i++) {
        if (atomic_load(&of->idle[i]) == NULL) {
            continue;
        }
        if (now - atomic_load(&of->idle_since[i]) < seconds) {
            left++;
        } else {
            arena_unmake(atomic_exchange(&of->idle[i], NULL));
        }
    }
    return left;
}
