/* What the CPU can do, asked of itself: what a compiler's runtime answers
 * depends on which runtime was linked, and may be no where it is yes. */
#include "base/base.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>

enum {
    BIT_OSXSAVE = 1 << 27, /* leaf 1, ecx: the next can be asked */
    BIT_AVX = 1 << 28,
    BIT_AVX2 = 1 << 5, /* leaf 7, ebx */
    BIT_AVX512F = 1 << 16,
    STATE_AVX = 0x06, /* XCR0: what the system saves of it */
    STATE_AVX512 = 0xe6,
};

static bool has_avx2, has_avx512f;

static unsigned
saved_state(void)
{
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

/* Once, before there are threads: under a hypervisor it takes microseconds. */
__attribute__((constructor)) static void
ask(void)
{
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & BIT_OSXSAVE)
        || !(c & BIT_AVX)) {
        return;
    }
    unsigned state = saved_state();
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
        has_avx2 = (b & BIT_AVX2) && (state & STATE_AVX) == STATE_AVX;
        has_avx512f =
            (b & BIT_AVX512F) && (state & STATE_AVX512) == STATE_AVX512;
    }
}

bool
fb_cpu_has_avx2(void)
{
    return has_avx2;
}

bool
fb_cpu_has_avx512f(void)
{
    return has_avx512f;
}

#else

bool
fb_cpu_has_avx2(void)
{
    return false;
}

bool
fb_cpu_has_avx512f(void)
{
    return false;
}

#endif
