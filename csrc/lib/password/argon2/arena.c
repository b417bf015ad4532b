/* Memory for Argon2. Fresh pages cost a third of a hash: the system fills them
 * with zeros, one by one unless they are huge. So they are kept for a
 * while. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS, madvise */
#include "password/password.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#define IDLE_SECONDS 10
#define IDLE_BYTES_MAX ((size_t)256 << 20) /* a larger one is not kept */

static int64_t
steady_seconds(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static arena *
arena_make(size_t bytes)
{
    arena *made = malloc(sizeof *made);
    if (made == NULL) {
        return NULL;
    }
    made->bytes = bytes;
    made->memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (made->memory == MAP_FAILED) {
        free(made);
        return NULL;
    }
#ifdef MADV_HUGEPAGE
    madvise(made->memory, bytes, MADV_HUGEPAGE);
#endif
#ifdef MADV_DONTDUMP
    madvise(made->memory, bytes, MADV_DONTDUMP);
#endif
    return made;
}

static void
arena_unmake(arena *unused)
{
    if (unused != NULL) {
        munmap(unused->memory, unused->bytes);
        free(unused);
    }
}

arena *
arena_take(arenas *from, size_t bytes)
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
    for (size_t i = 0; one != NULL && i < to->most; i++) {
        arena *expected = NULL;
        if (atomic_compare_exchange_strong(&to->idle[i], &expected, one)) {
            one = NULL;
        }
    }
    arena_unmake(one);
}

void
arena_give(arenas *to, arena *done)
{
    arena_release(to, IDLE_SECONDS);
    if (done->bytes > IDLE_BYTES_MAX) {
        arena_unmake(done);
    } else {
        done->idle_since = steady_seconds();
        keep(to, done);
    }
}

size_t
arena_release(arenas *of, int64_t seconds)
{
    size_t left = 0;
    int64_t now = steady_seconds();
    for (size_t i = 0; i < of->most; i++) {
        arena *found = atomic_exchange(&of->idle[i], NULL);
        if (found != NULL && now - found->idle_since < seconds) {
            keep(of, found);
            left++;
        } else {
            arena_unmake(found);
        }
    }
    return left;
}
