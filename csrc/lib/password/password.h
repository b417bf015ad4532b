/*
 * The room of passwords: hashing them, and telling the formats of hashes
 * apart. It may use crypto and base.
 */
#ifndef FASTBEARER_PASSWORD_H
#define FASTBEARER_PASSWORD_H

#include <stdatomic.h>

#include "crypto/crypto.h"

/* --- argon2_core.c: Argon2 (RFC 9106) ------------------------------------ */

typedef enum { ARGON2_D, ARGON2_I, ARGON2_ID } argon2_kind; /* RFC 9106's y */

typedef struct {
    argon2_kind kind;
    uint32_t version; /* 0x13, or 0x10 for hashes from before 2016 */
    uint32_t memory;  /* KiB */
    uint32_t passes, lanes;
    span salt, secret, data; /* RFC 9106's S, K, X */
    size_t size;             /* bytes of the tag */
} argon2_params;

#define ARGON2_TAG_MIN 4
#define ARGON2_TAG_MAX 1024

/* Refuses what is outside RFC 9106 3.1, or of another version or size. */
CHECKED status fb_argon2_params_check(const argon2_params *params);

/* "portable", "avx2", "avx512", "neon"; "libargon2" if built with it. */
typedef struct argon2_engine argon2_engine;

/* The engine of that name, or for NULL the fastest of our own; NULL if there
 * is none that this CPU can run. */
const argon2_engine *fb_argon2_engine_find(const char *name);
const char *fb_argon2_engine_name(const argon2_engine *engine);

/* Bytes of memory that checked parameters need: at most memory * 1024; none
 * for an engine that has its own. */
size_t fb_argon2_arena_size(const argon2_engine *engine,
                            const argon2_params *params);

/*
 * Writes the tag, params->size bytes. There are fb_argon2_arena_size bytes of
 * blocks, aligned to 64; what they held before does not matter. They are wiped
 * after a single pass only, since after more of them they save a guesser at
 * most half of the work. At most `threads` threads compute, of which the
 * caller's is one; if fewer can be made, fewer do. Refuses what
 * fb_argon2_params_check does.
 */
CHECKED status fb_argon2_compute(const argon2_engine *engine,
                                 const argon2_params *params, span password,
                                 void *blocks, unsigned threads,
                                 unsigned char *tag);

/* --- argon2_known.c: a hash that is known -------------------------------- */

/* Whether the engine computes what it must, in less than a millisecond. */
bool fb_argon2_known_agrees(const argon2_engine *engine);

/* --- arena.c: memory for Argon2, kept from one hash to the next ---------- */

typedef struct {
    void *memory; /* aligned to 64, in huge pages where there are some */
    size_t bytes;
} arena;

#define ARENAS_MAX 64

/* Any number of threads may share them, and a fork does no harm. */
typedef struct {
    _Atomic(arena *) idle[ARENAS_MAX];
    _Atomic(int64_t) idle_since[ARENAS_MAX]; /* seconds of a steady clock */
    size_t most;                             /* arenas that are kept */
} arenas;

/* An arena of at least that many bytes, which hold anything; NULL if there is
 * no memory. */
arena *fb_arena_take(arenas *from, size_t bytes);

/* Keeps it for the next hash, or gives it back to the system. */
void fb_arena_give(arenas *to, arena *done);

/* Gives back what was idle for that many seconds; returns how many are
 * left. */
size_t fb_arena_release(arenas *of, int64_t seconds);

/* --- format.c: password hash formats, told apart by their text ----------- */

#define HASH_TEXT_MAX 512

/* With what hashes are computed. */
typedef struct {
    const argon2_engine *engine;
    arenas *arenas;
    bool wipes;     /* overwrites the memory of every Argon2 hash at its end */
    bool by_sodium; /* scrypt by libsodium */
    const digests *digests; /* by which PBKDF2 may be computed, or NULL */
} hash_means;

typedef struct {
    char text[HASH_TEXT_MAX];
    size_t len;
} hash_text;

/* What a hash says besides its bytes; what its format does not say is 0. */
typedef struct {
    char kind;        /* bcrypt's 'a', 'b', 'x' or 'y' */
    uint32_t version; /* Argon2's; 2 or 1 of bcrypt over SHA-256 */
    uint64_t rounds;  /* passes, iterations, scrypt's N, bcrypt's cost */
    uint32_t memory;  /* KiB */
    uint32_t lanes, block;
    size_t salt, digest; /* bytes; in a bare setting there is no digest */
    size_t digest_at;    /* where its text begins */
    bool is_weak;        /* a guesser needs next to no time for each guess */
} hash_parts;

typedef struct kdf kdf;
typedef struct old_hash old_hash;
typedef struct format format;

/* A setting is a whole hash, or one that ends before its digest. */
struct format {
    const char *name;
    const char *prefixes[6];     /* NULL after the last */
    bool (*is_it)(span setting); /* where no prefix tells, else NULL */
    bool is_nfkc; /* the password is first put in Unicode's form NFKC */
    bool is_weak; /* verified only for who takes weak hashes */
    size_t seen;  /* bytes of a password that count; 0 for all */
    /* Refuses a setting that is malformed or too costly, without any work. */
    CHECKED status (*check)(const format *row, span setting, hash_parts *out);
    /* Checks and hashes; under a whole hash, the same digest comes again. NULL
     * where no new hashes are made. */
    CHECKED status (*make)(const format *row, const hash_means *means,
                           span password, span setting, unsigned threads,
                           hash_text *out);
    /* Checks and hashes into memory of its own, and compares the bytes with
     * the hash's, in constant time: no table is looked up by a digest. */
    CHECKED status (*verify)(const format *row, const hash_means *means,
                             span password, span hash, unsigned threads,
                             bool *matches);
    /* Whether only this password, of all that are shorter than what counts,
     * can have made the hash; NULL where that is so of each. */
    bool (*is_sole)(span setting, span password);
    /* Writes a hash whose digest is zeros, unchecked; false without room.
     * NULL where no new hashes are made. */
    bool (*write)(const format *row, const hash_parts *parts, span salt,
                  hash_text *out);
    text_code code; /* of the digest */
    /* kdf.c's formats */
    bool (*read)(span text, span rest, kdf *out);
    const EVP_MD *(*md)(void); /* PBKDF2's; NULL is scrypt */
    size_t key;                /* bytes of every digest, or 0 */
    /* old.c's formats: what is read after the prefix; and the digest, of which
     * row->key bytes are written, by each maker of such texts */
    bool (*read_old)(const format *row, span rest, old_hash *out);
    status (*compute[2])(const format *row, const old_hash *with,
                         span password, unsigned char *digest);
    size_t longest;       /* bytes of a password, or 0; it matches no longer */
    bool ends_at_nul;     /* so that no password has one */
    uint32_t most_rounds; /* no hash may ask for more */
    const char *inner[5]; /* labelled.c's: names of what the label allows */
};

/* formats.c, formats_old.c: the rows, and one without a name at the end. */
extern const format fb_formats_made[], fb_formats_old[];

/* Moves past the row's prefix; false for a text that is not the row's. */
bool fb_format_skip(const format *row, span *rest);

/* The format of a setting, or of that name; or NULL. */
const format *fb_format_find(span setting);
const format *fb_format_named(const char *name);

/* A new hash: refuses a password that is longer than what counts, and a format
 * that is verified only. At most `threads` threads work, of which the caller's
 * is one. */
CHECKED status fb_format_make(const hash_means *means, span password,
                              span setting, unsigned threads, hash_text *out);

/* Whether the password made the hash; refuses a malformed or costly hash, and
 * a weak one unless it takes them. */
CHECKED status fb_format_verify(const hash_means *means, span password,
                                span hash, unsigned threads, bool takes_weak,
                                bool *matches);

/* Refuses what is no whole hash. */
CHECKED status fb_format_parts(span hash, const format **found,
                               hash_parts *out);

/* Whether of all passwords only this one, byte for byte, verifies. */
bool fb_format_is_sole(const format *row, span hash, span password);

/* Nobody's hash: one of these parts, whose digest is zeros. */
CHECKED status fb_format_write(const format *row, const hash_parts *parts,
                               span salt, hash_text *out);

/* --- phc.c: $argon2id$v=19$m=KiB,t=passes,p=lanes$salt[$digest] ---------- */

/* Also argon2i and argon2d, and without v= the version before RFC 9106. */
CHECKED status fb_phc_check(const format *row, span setting, hash_parts *out);
CHECKED status fb_phc_make(const format *row, const hash_means *means,
                           span password, span setting, unsigned threads,
                           hash_text *out);
CHECKED status fb_phc_verify(const format *row, const hash_means *means,
                             span password, span hash, unsigned threads,
                             bool *matches);
bool fb_phc_write(const format *row, const hash_parts *parts, span salt,
                  hash_text *out);

/* --- bcrypt.c: $2b$cost$ and 22 characters of salt [and 31 of digest] ---- */

/* Also the first kind, $2$; 2a and 2y; and the faulty 2x. */
CHECKED status fb_bcrypt_check(const format *row, span setting,
                               hash_parts *out);
CHECKED status fb_bcrypt_make(const format *row, const hash_means *means,
                              span password, span setting, unsigned threads,
                              hash_text *out);
CHECKED status fb_bcrypt_verify(const format *row, const hash_means *means,
                                span password, span hash, unsigned threads,
                                bool *matches);
bool fb_bcrypt_is_sole(span setting, span password);
bool fb_bcrypt_write(const format *row, const hash_parts *parts, span salt,
                     hash_text *out);

/* --- bcrypt_sha256.c: passlib's bcrypt of a digest ----------------------- */

/* $bcrypt-sha256$v=2,t=2b,r=cost$salt[$digest]; or 2b,cost for the settings,
 * which is version 1. */
CHECKED status fb_bcrypt_sha256_check(const format *row, span setting,
                                      hash_parts *out);
CHECKED status fb_bcrypt_sha256_make(const format *row,
                                     const hash_means *means, span password,
                                     span setting, unsigned threads,
                                     hash_text *out);
CHECKED status fb_bcrypt_sha256_verify(const format *row,
                                       const hash_means *means, span password,
                                       span hash, unsigned threads,
                                       bool *matches);
bool fb_bcrypt_sha256_write(const format *row, const hash_parts *parts,
                            span salt, hash_text *out);

/* --- kdf.c: scrypt and PBKDF2 -------------------------------------------- */

bool fb_kdf_is_better_auth(span text);
CHECKED status fb_kdf_check(const format *row, span setting, hash_parts *out);
CHECKED status fb_kdf_make(const format *row, const hash_means *means,
                           span password, span setting, unsigned threads,
                           hash_text *out);
CHECKED status fb_kdf_verify(const format *row, const hash_means *means,
                             span password, span hash, unsigned threads,
                             bool *matches);
bool fb_kdf_is_sole(span setting, span password);

/* --- django.c ------------------------------------------------------------ */

CHECKED status fb_django_argon2_check(const format *row, span setting,
                                      hash_parts *out);
CHECKED status fb_django_argon2_make(const format *row,
                                     const hash_means *means, span password,
                                     span setting, unsigned threads,
                                     hash_text *out);
CHECKED status fb_django_argon2_verify(const format *row,
                                       const hash_means *means, span password,
                                       span hash, unsigned threads,
                                       bool *matches);
CHECKED status fb_django_bcrypt_check(const format *row, span setting,
                                      hash_parts *out);
CHECKED status fb_django_bcrypt_make(const format *row,
                                     const hash_means *means, span password,
                                     span setting, unsigned threads,
                                     hash_text *out);
CHECKED status fb_django_bcrypt_verify(const format *row,
                                       const hash_means *means, span password,
                                       span hash, unsigned threads,
                                       bool *matches);
CHECKED status fb_django_bcrypt_sha256_make(const format *row,
                                            const hash_means *means,
                                            span password, span setting,
                                            unsigned threads, hash_text *out);
CHECKED status fb_django_bcrypt_sha256_verify(const format *row,
                                              const hash_means *means,
                                              span password, span hash,
                                              unsigned threads, bool *matches);
bool fb_django_bcrypt_is_sole(span setting, span password);

/* --- firebase.c: $fbscrypt$, by Firebase and Supabase Auth --------------- */

CHECKED status fb_firebase_check(const format *row, span setting,
                                 hash_parts *out);
CHECKED status fb_firebase_verify(const format *row, const hash_means *means,
                                  span password, span hash, unsigned threads,
                                  bool *matches);

/* --- wordpress.c: $wp$2y$, by WordPress since 6.8 (wp_check_password) ---- */

CHECKED status fb_wordpress_check(const format *row, span setting,
                                  hash_parts *out);
CHECKED status fb_wordpress_verify(const format *row, const hash_means *means,
                                   span password, span hash, unsigned threads,
                                   bool *matches);
bool fb_wordpress_is_sole(span setting, span password);

/* --- labelled.c: {bcrypt}, {ARGON2}, {CRYPT} and another format's hash --- */

CHECKED status fb_labelled_check(const format *row, span setting,
                                 hash_parts *out);
CHECKED status fb_labelled_verify(const format *row, const hash_means *means,
                                  span password, span hash, unsigned threads,
                                  bool *matches);
bool fb_labelled_is_sole(span setting, span password);

/* --- old.c: what is verified only; the rest of it stands in old.h -------- */

CHECKED status fb_old_check(const format *row, span setting, hash_parts *out);
CHECKED status fb_old_verify(const format *row, const hash_means *means,
                             span password, span hash, unsigned threads,
                             bool *matches);

#endif
