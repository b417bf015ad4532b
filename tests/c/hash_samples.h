/* A hash of the password "right" for each way in which one is compared. */
#ifndef FASTBEARER_HASH_SAMPLES_H
#define FASTBEARER_HASH_SAMPLES_H

static const char *const hash_samples[] = {
    "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$P3OLBQw3O3GiY9hpX8wpK"
    "8qO6gQccIdDXnlkdzKceqU",
    "$2b$04$......................Syd4KYxmAS1yW2i4q32tNmiGES8QLYu",
    "$scrypt$ln=4,r=8,p=1$c2FsdHNhbHQ$NtyaS8LCdQFkV4gXnlwP73+ZIn1"
    "PNt5KK/VYUFAfGRo",
    "$pbkdf2-sha256$1$c2FsdHNhbHQ$VOXPETF6Rd9XkFFDfSCLc5Dvz8sP5fA"
    "nraBdWuFL7Vk",
    "bcrypt_sha256$$2b$04$......................faWYsOlr9ZNNVpUsQ"
    "K7QtXHrNANFVeS",
    "$5$rounds=1000$salt$jmWlX.WMmU0.rE0RvWQVpnv3gAtcUKsIbtS2DDkjkW"
    ".",
    "$6$rounds=1000$salt$yiW6N.84VzeTC0bx5oZcI6R7GA6ccCfWQfaJEjLTn3"
    "tSOj35.DFqvDPhk41tF8IpdfgKnpLGt5EmXsjEnq0Dy.",
    "$1$salt$I7mUw4uf7gbe.mLJ1fX2S.",
    "$P$5saltsaltRFSnBaqaNL/Mz3.vKHm7J/",
    "sha1$salt$9a67ad4dbd5819a24edad07c68085c5c2c559c49",
    "sha256$salt$f446897fad4b4d20b23b65e3a95c974ff1222b834869bb6c9c"
    "aecfad32d57162",
    "{SSHA}Q0dAUNYieUEh8DjAxxd1rE959TVzYWx0",
    "AHNhbHRzYWx0c2FsdHNhbHT+hLF7wd7hi0oZG44kZFNaPTTNUya7lmRCzE1D2h"
    "6opw==",
    "AQAAAAEAAAAJAAAAEHNhbHRzYWx0c2FsdHNhbHTx52/2YJyYfl9wNHvHsX6NXO"
    "kK+gdnql5J0FIS4ElIvw==",
    "$fbscrypt$v=1,n=4,r=8,p=1,ss=Bw==,sk=c2lnbmVyIGtleSBzaWduZXIga"
    "2V5IHNpZ25lciBrZXk=$c2FsdA==$dqkrHO54rhupzRkPEoQ8u8KQX0IBbpgWo"
    "gMvX45KRy0=",
    "$wp$2y$04$......................TrkkVOL3insgxlki6rKPP3coeg1LpO"
    "C",
};

#define HASH_SAMPLES (sizeof hash_samples / sizeof *hash_samples)

#endif
