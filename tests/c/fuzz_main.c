/*
 * A driver for where there is no libFuzzer: it runs the seeds, and then changed
 * seeds, for as many seconds as it is told. What comes is a matter of its seed
 * alone, and the input under way is kept in a file until it has passed.
 *
 *   fuzz_x SEEDS SECONDS CRASH-FILE [SEED]
 */
#define _POSIX_C_SOURCE 200809L
#include "fuzz.h"

#include <dirent.h>
#include <time.h>
#include <unistd.h>

#define SEEDS_MAX 4096
#define INPUT_MAX 16384

static struct {
    uint8_t *bytes;
    size_t size;
} seeds[SEEDS_MAX];
static size_t seed_count;
static uint64_t state = 1;

/* xorshift64*, Marsaglia and Vigna */
static size_t
draw(size_t below)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (size_t)((state * 0x2545f4914f6cdd1d) >> 33) % below;
}

static void
seed_read(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    uint8_t room[INPUT_MAX];
    if (file == NULL || name[0] == '.' || seed_count == SEEDS_MAX) {
        return;
    }
    size_t size = fread(room, 1, sizeof room, file);
    fclose(file);
    seeds[seed_count].bytes = (uint8_t *)exact_copy(room, size);
    seeds[seed_count++].size = size;
}

static const uint8_t telling[] = "\"\\{}[],.:=$-_%";

/* One of the usual ways to spoil an input; returns its new size. */
static size_t
change(uint8_t *input, size_t size)
{
    size_t at = size > 0 ? draw(size) : 0, other = draw(seed_count);
    size_t len = size > at ? draw(size - at) + 1 : 0;
    switch (draw(7)) {
    case 0: /* a bit */
        input[at] ^= (uint8_t)(size > 0 ? 1u << draw(8) : 0);
        return size;
    case 1: /* a byte, often one that means something */
        input[at] =
            draw(2) ? (uint8_t)draw(256) : telling[draw(sizeof telling)];
        return size > 0 ? size : 1;
    case 2: /* cut off */
        return at;
    case 3: /* cut out */
        memmove(input + at, input + at + len, size - at - len);
        return size - len;
    case 4: /* repeat */
        if (size + len > INPUT_MAX) {
            return size;
        }
        memmove(input + at + len, input + at, size - at);
        return size + len;
    case 5: /* the end of another seed */
        len = seeds[other].size > at ? seeds[other].size - at : 0;
        memcpy(input + at, seeds[other].bytes + seeds[other].size - len, len);
        return at + len;
    default: /* a byte more */
        if (size == INPUT_MAX) {
            return size;
        }
        memmove(input + at + 1, input + at, size - at);
        input[at] = (uint8_t)draw(256);
        return size + 1;
    }
}

static void
try_one(const uint8_t *input, size_t size, FILE *kept)
{
    rewind(kept);
    fwrite(input, 1, size, kept);
    fflush(kept);
    MUST(ftruncate(fileno(kept), (off_t)size) == 0);
    LLVMFuzzerTestOneInput(input, size);
}

int
main(int argc, char **argv)
{
    static uint8_t input[INPUT_MAX + 1];
    if (argc < 4) {
        fprintf(stderr, "%s SEEDS SECONDS CRASH-FILE [SEED]\n", argv[0]);
        return 2;
    }
    DIR *folder = opendir(argv[1]);
    FILE *kept = fopen(argv[3], "wb");
    MUST(folder != NULL && kept != NULL);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        seed_read(argv[1], entry->d_name);
    }
    closedir(folder);
    MUST(seed_count > 0);
    state = argc > 4 ? strtoull(argv[4], NULL, 10) : 1;
    time_t end = time(NULL) + atoi(argv[2]);
    unsigned long runs = 0;
    for (; runs < seed_count || time(NULL) < end; runs++) {
        size_t from = runs < seed_count ? runs : draw(seed_count);
        size_t size = seeds[from].size;
        memcpy(input, seeds[from].bytes, size);
        for (size_t n = runs < seed_count ? 0 : 1 + draw(4); n > 0; n--) {
            size = change(input, size);
        }
        try_one(input, size, kept);
    }
    fclose(kept);
    remove(argv[3]);
    printf("%lu inputs from %zu seeds\n", runs, seed_count);
    return 0;
}
