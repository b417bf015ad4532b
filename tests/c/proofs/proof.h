/*
 * What the bounded proofs share. Each is a main() which takes anything at all,
 * of a bounded size, and calls the library with it: ESBMC, a model checker,
 * follows every run of it and proves that none reads or writes beyond its
 * memory, overflows a signed number, or breaks a PROVE. Its first line names
 * each SIZE for which that is done, how many turns more than SIZE each loop is
 * followed, and what is linked; that no loop has more is proved too.
 * `make prove` runs them all.
 */
#ifndef FASTBEARER_PROOF_H
#define FASTBEARER_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

size_t nondet_size_t(void);
unsigned char nondet_uchar(void);
_Bool nondet_bool(void);
int nondet_int(void);

void __ESBMC_assume(_Bool);
void __ESBMC_assert(_Bool, const char *);

#define ASSUME(condition) __ESBMC_assume(condition)
#define PROVE(condition) __ESBMC_assert(condition, #condition)

/* Any size up to that one. */
static inline size_t
any_size(size_t most)
{
    size_t size = nondet_size_t();
    ASSUME(size <= most);
    return size;
}

/* A block of that many bytes, which are any bytes. */
static inline void *
any_bytes(size_t size)
{
    unsigned char *bytes = malloc(size);
    ASSUME(bytes != NULL);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = nondet_uchar();
    }
    return bytes;
}

#endif
