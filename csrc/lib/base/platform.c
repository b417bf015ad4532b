/* The cores, the clock and the pages of memory of each operating system. */
#define _GNU_SOURCE /* sched_getaffinity, MAP_ANONYMOUS, madvise */
#include "base/base.h"

#ifdef _WIN32

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

unsigned
fb_platform_cores(void)
{
    DWORD_PTR own = 0, all;
    unsigned count = 0;
    GetProcessAffinityMask(GetCurrentProcess(), &own, &all);
    for (; own != 0; own &= own - 1) {
        count++;
    }
    return count > 0 ? count : 1;
}

int64_t
fb_platform_seconds(void)
{
    return (int64_t)(GetTickCount64() / 1000);
}

void
fb_platform_pause(void)
{
    Sleep(1);
}

void *
fb_platform_map(size_t bytes)
{
    return VirtualAlloc(NULL, bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
}

void
fb_platform_unmap(void *pages, size_t bytes)
{
    (void)bytes;
    VirtualFree(pages, 0, MEM_RELEASE);
}

#else

#include <sched.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

unsigned
fb_platform_cores(void)
{
#ifdef CPU_COUNT
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        return (unsigned)CPU_COUNT(&set);
    }
#endif
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (unsigned)count : 1;
}

int64_t
fb_platform_seconds(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

void
fb_platform_pause(void)
{
    struct timespec a_millisecond = {.tv_nsec = 1000000};
    nanosleep(&a_millisecond, NULL);
}

void *
fb_platform_map(size_t bytes)
{
    void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) {
        return NULL;
    }
#ifdef MADV_HUGEPAGE
    madvise(pages, bytes, MADV_HUGEPAGE);
#endif
#ifdef MADV_DONTDUMP
    madvise(pages, bytes, MADV_DONTDUMP);
#endif
    return pages;
}

void
fb_platform_unmap(void *pages, size_t bytes)
{
    munmap(pages, bytes);
}

#endif
