/*
 * Whether work is shared by as many threads as it is given, each with a number
 * of its own, and whether only the cores count on which this process may run.
 *
 * It prints what is wrong, and fails if something is.
 */
#ifdef __linux__
#define _GNU_SOURCE /* sched_setaffinity */
#include <sched.h>
#endif

#include "base/base.h"

#include <stdio.h>

#define MOST 300 /* more than there may be */

typedef struct {
    unsigned size, done[MOST];
} noted;

static void
note(threads_team *team, unsigned number, unsigned size, void *with)
{
    noted *of = with;
    fb_threads_wait(team); /* so that all of them are there at once */
    if (number < MOST) {
        of->done[number]++;
    }
    if (number == 0) {
        of->size = size;
    }
}

static bool
shares(unsigned most, unsigned expected)
{
    noted of = {0};
    bool ok = true;
    fb_threads_run(most, note, &of);
    for (unsigned i = 0; i < MOST; i++) {
        ok = ok && of.done[i] == (i < of.size);
    }
    if (!ok || of.size != expected) {
        printf("at most %u threads: %u work, and %u should\n", most, of.size,
               expected);
    }
    return ok && of.size == expected;
}

static bool
counts_cores(void)
{
    bool ok = true;
#ifdef __linux__
    cpu_set_t all, one;
    if (sched_getaffinity(0, sizeof all, &all) != 0) {
        return true;
    }
    ok = fb_platform_cores() == (unsigned)CPU_COUNT(&all);
    int cpu = 0;
    while (!CPU_ISSET(cpu, &all)) {
        cpu++;
    }
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof one, &one) == 0) {
        ok = ok && fb_platform_cores() == 1;
        (void)sched_setaffinity(0, sizeof all, &all);
    }
    if (!ok) {
        puts("cores are counted on which this process may not run");
    }
#endif
    return ok;
}

int
main(void)
{
    bool ok = counts_cores();
    for (unsigned most = 1; most <= 8; most++) {
        ok = shares(most, most) && ok;
    }
    return ok ? 0 : 1;
}
