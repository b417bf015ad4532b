/* Blowfish with bcrypt's expensive key schedule, for bcrypt.c alone. */
#ifndef FASTBEARER_BLOWFISH_H
#define FASTBEARER_BLOWFISH_H

#include "password/password.h"

#define BLOWFISH_SUBKEYS 18
#define BLOWFISH_BOXES (4 * 256)

typedef struct {
    uint32_t p[BLOWFISH_SUBKEYS];
    uint32_t s[BLOWFISH_BOXES]; /* four of 256, one after another */
} blowfish;

extern const blowfish fb_blowfish_pi;

/* --- blowfish.c ---------------------------------------------------------- */

/* A key, repeated over the subkeys. */
typedef struct {
    uint32_t words[BLOWFISH_SUBKEYS];
    uint32_t first; /* goes into the first subkey, before all else */
} blowfish_key;

/* bcrypt's salt. */
typedef struct {
    uint32_t words[4];
} blowfish_salt;

/* EksBlowfishSetup: 2 ** cost rounds of the key schedule. */
void fb_blowfish_setup(blowfish *state, unsigned cost, const blowfish_key *key,
                       const blowfish_salt *salt);

/* Encrypts two words in place. */
void fb_blowfish_encrypt(const blowfish *state, uint32_t *left,
                         uint32_t *right);

#endif
