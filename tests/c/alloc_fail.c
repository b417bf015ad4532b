/*
 * For LD_PRELOAD: lets chosen allocations of one thread fail. Between
 * alloc_fail_begin and alloc_fail_end the n-th allocation of the thread, and
 * with `on` the many after it, gets no memory; n 0 only counts. `whose` are
 * counted: malloc's, which is 0, or another allocator's that asks here.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

/* glibc's own, under the names that a replacement calls. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *old);

void alloc_fail_begin(int whose, long n, bool on);
bool alloc_fail_refuses(int whose);
long alloc_fail_end(long *left);

/* CPython 3.11 asks for ever for the integer that a handler in Python begins
 * with: once in a while there has to be memory again. */
#define BURST 20000

static __thread bool is_on, goes_on;
static __thread int chosen;
static __thread long wanted, seen, alive;

void
alloc_fail_begin(int whose, long n, bool on)
{
    chosen = whose;
    wanted = n;
    goes_on = on;
    seen = alive = 0;
    is_on = true;
}

/* Returns how many allocations were asked for; *left is how many more were
 * made than were given back. */
long
alloc_fail_end(long *left)
{
    is_on = false;
    *left = alive;
    return seen;
}

/* Whether that allocator has to refuse what it is asked for now. */
bool
alloc_fail_refuses(int whose)
{
    if (!is_on || whose != chosen) {
        return false;
    }
    seen++;
    long last = goes_on ? wanted + BURST : wanted;
    bool is_wanted = wanted > 0 && seen >= wanted && seen <= last;
    if (is_wanted) {
        errno = ENOMEM;
    }
    return is_wanted;
}

static bool
is_refused(void)
{
    return alloc_fail_refuses(0);
}

static void *
counted(void *made)
{
    alive += is_on && made != NULL;
    return made;
}

void *
malloc(size_t size)
{
    return is_refused() ? NULL : counted(__libc_malloc(size));
}

void *
calloc(size_t count, size_t size)
{
    return is_refused() ? NULL : counted(__libc_calloc(count, size));
}

void *
realloc(void *old, size_t size)
{
    if (is_refused()) {
        return NULL;
    }
    void *made = __libc_realloc(old, size);
    return old == NULL ? counted(made) : made;
}

void *
memalign(size_t alignment, size_t size)
{
    return is_refused() ? NULL : counted(__libc_memalign(alignment, size));
}

void *
aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int
posix_memalign(void **out, size_t alignment, size_t size)
{
    void *made = memalign(alignment, size);
    if (made == NULL) {
        return ENOMEM;
    }
    *out = made;
    return 0;
}

void
free(void *old)
{
    alive -= is_on && old != NULL;
    __libc_free(old);
}
