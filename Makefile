# `make run` starts the service, `make check` answers within a minute, `make test` runs
# every test; each first does what is missing. CONTRIBUTING.md tells when to use which.
# The files .venv/.* are stamps: what they name is done until it changes.

PORT ?= 8000
# How many processes run the tests: `make test CORES=1` runs them one by one.
CORES ?= auto
# What is handed to pytest: `make test-core OPTIONS='-x -k hmac'`.
OPTIONS ?=
# How the sets of a run are ordered: another way each time, the same in every process,
# since pytest-xdist wants the same tests in the same order. A line of make shows it.
HASHSEED ?= $(shell od -An -N2 -tu2 /dev/urandom | tr -d ' ')
PYTEST = PYTHONHASHSEED=$(HASHSEED) .venv/bin/python -m pytest -n $(CORES) $(OPTIONS)
# Tests that take long by design may take three hours before they count as hanging.
PATIENT = -o faulthandler_timeout=10800
C_FILES = $(shell find csrc -name '*.[ch]')
LIB_FILES = $(shell find csrc/lib -name '*.c')
# Not every machine has libargon2, which is one more engine and the tests' oracle.
ARGON2 = $(shell pkg-config --exists libargon2 2>/dev/null && echo yes)
# Nor libsodium, which is another engine of Ed25519 and scrypt.
SODIUM = $(shell pkg-config --exists libsodium 2>/dev/null && echo yes)
# Nor libxcrypt, which the fuzz target of old hashes asks.
LIBCRYPT = $(shell pkg-config --exists libxcrypt 2>/dev/null && echo yes)
OPTIONAL_DEFINES = $(ARGON2:yes=-DFASTBEARER_LIBARGON2) $(SODIUM:yes=-DFASTBEARER_LIBSODIUM)
LIB_FLAGS = -std=c11 -O2 -g -fPIC -pthread -Wall -Wextra -Werror=unused-result \
    $(OPTIONAL_DEFINES)
LIB_LIBRARIES = $(ARGON2:yes=-largon2) $(SODIUM:yes=-lsodium) -lcrypto -pthread
SEED_FLAGS = $(LIBCRYPT:yes=-DFASTBEARER_LIBCRYPT)
SEED_LIBRARIES = $(LIBCRYPT:yes=-lcrypt) $(LIB_LIBRARIES)
ROOMS = $(patsubst tests/%/,%,$(filter-out tests/c/ tests/kit/ %__pycache__/,$(wildcard tests/*/)))
CHECKS = $(patsubst tests/c/%.c,build/check/%,$(wildcard tests/c/*_check.c))
# Left to `test`, as tests marked `slow` are.
SLOW_CHECKS = build/check/argon2_check build/check/failure_check
FUZZ_TARGETS = $(filter-out %/fuzz_main.c,$(wildcard tests/c/fuzz_*.c))
SEEDED = $(FUZZ_TARGETS:tests/c/%.c=build/check/%)
# The checks that valgrind has to watch for what depends on a secret.
SECRETS = $(filter %secrets_check,$(CHECKS))
# Each compiler of fuzz targets has a folder of its own; scripts/prepare-fuzz names one.
FUZZ_CC ?= gcc
FUZZ_HOME ?= build/fuzz/$(FUZZ_CC)
FUZZERS = $(FUZZ_TARGETS:tests/c/%.c=$(FUZZ_HOME)/%)
# For each fuzz target, and how many of them run at a time.
SECONDS ?= 60
JOBS ?= 1
# Of traffic under which the stores die: `make endure MINUTES=5`.
MINUTES ?= 30
# What a run of fuzz-python begins with; it prints a random one where there is none.
SEED ?=
# Releases of Debian, and targets: `make prove-set-up RELEASES=sid ALSO="check test"`.
RELEASES ?= bookworm trixie
ALSO ?= check
COMMA = ,
# libcrypt, too: the sanitizer's own crypt() calls what it has found at the start.
ASAN_LIBRARIES = $(foreach one,asan ubsan crypt,$$($(CC) -print-file-name=lib$(one).so))
SANITIZED = LD_PRELOAD="$(ASAN_LIBRARIES)" ASAN_OPTIONS=detect_leaks=0 PYTHONMALLOC=malloc \
    PYTHONPATH=build/asan/lib
READY = .venv/.set-up .venv/.built

.PHONY: build lib run setup check test $(ROOMS:%=test-%) test-c test-c-quick test-asan
.PHONY: test-quick test-originals test-free-threaded test-tsan soak endure
.PHONY: mutants fuzz fuzz-run fuzz-coverage fuzz-count fuzz-python coverage
.PHONY: secrets valgrind analyse prove assure test-memory
.PHONY: docs docs-serve docs-test bench bench-report lint clean prove-set-up wheel
.PHONY: prove-wheels cross
.DELETE_ON_ERROR:

build: .venv/.built

# The lower storey alone: without Python's headers, and with no path to them.
lib: build/libfastbearer.a

run: .venv/.with-app .venv/.built .env
	@echo "Settings are taken from the environment, then from .env"
	@exec .venv/bin/fastbearer --env-file .env serve --port $(PORT)

# What the tests need and a machine may lack: packages of apt, of pip and of npm.
setup: .venv/.set-up

# --- tests --------------------------------------------------------------------

# While working: what can be told within a minute. Tests marked `slow` are left to `test`.
check: .venv/.with-dev .venv/.built
	@$(MAKE) --no-print-directory -j3 lint test-c-quick test-quick

test-quick: .venv/.with-dev .venv/.built
	$(PYTEST) -m "not slow and not soak" tests/core tests/project

# Everything that a change can break.
test: $(READY) test-c
	$(PYTEST)

$(ROOMS:%=test-%): test-%: $(READY)
	$(PYTEST) tests/$*

# The fuzz targets run over their seeds: each is an input that has meant something once.
test-c: RUN = $(CHECKS)
test-c-quick: RUN = $(filter-out $(SLOW_CHECKS),$(CHECKS))
test-c test-c-quick: $(CHECKS) $(SEEDED)
	@for check in $(RUN); do echo "$$check" && "$$check" || exit 1; done
	@for one in $(SEEDED); do printf '%s: ' "$$one" && \
	    "$$one" "tests/c/seeds/$${one#build/check/fuzz_}" 0 "$$one-crash" || exit 1; done

# Every test, with a core that AddressSanitizer and UBSan watch; those of the core also
# where they are marked `soak`. `make test-asan ASAN_TESTS=tests/jwks` runs a part.
ASAN_TESTS ?= tests
ASAN_SOAK ?= tests/core
test-asan: $(READY)
	FASTBEARER_BUILD=sanitize .venv/bin/python setup.py -q \
	    build --build-base build/asan --build-lib build/asan/lib --force
	$(SANITIZED) $(PYTEST) $(PATIENT) $(ASAN_TESTS)
	$(SANITIZED) $(PYTEST) $(PATIENT) -m soak $(ASAN_SOAK)

# The test suites of the packages that the drop-ins stand in for.
test-originals: .venv/.with-dev .venv/.built
	.venv/bin/python scripts/test-compat

# The core's tests on a Python without the GIL; says so where there is none.
test-free-threaded: .venv/.with-dev
	scripts/test-free-threaded -n $(CORES) $(OPTIONS)

# Threads at the core that ThreadSanitizer watches, in the Python that TSAN_PYTHON names.
test-tsan: .venv/.with-dev
	$(PYTEST) $(PATIENT) -m soak tests/core/test_free_threaded.py -k thread_sanitizer

# Whether anything depends on a secret: under valgrind, secrets are what must not decide.
secrets: $(SECRETS) build/check/release/secrets_check
	scripts/under-valgrind secrets $^

# The C checks and the fuzz targets, each with its seeds, under valgrind.
valgrind: $(filter-out $(SECRETS),$(CHECKS)) $(SEEDED)
	scripts/under-valgrind memory $^

# The static analysers of gcc and of clang over all C code.
analyse: .venv/.made
	DEFINES="$(OPTIONAL_DEFINES)" scripts/analyse gcc $(filter %.c,$(C_FILES))
	DEFINES="$(OPTIONAL_DEFINES)" scripts/analyse clang $(filter %.c,$(C_FILES))

# What tests/c/proofs prove, for every input of their bounds: `scripts/prove NAME`.
prove: .venv/.made
	scripts/prove

# Every regime of the assurance, each as a target of its own; then a line about each.
ASSURANCE = analyse secrets valgrind prove fuzz fuzz-python test-asan test-tsan test-free-threaded \
    test-memory
assure: $(READY)
	scripts/assure $(ASSURANCE)

# Calls of which one allocation after another fails.
test-memory: .venv/.with-dev .venv/.built
	$(PYTEST) $(PATIENT) -m "soak or not soak" tests/core/test_scarce_memory.py tests/core/test_memory.py

# Which lines and branches the tests reach, in texts of build/coverage; of a few rooms:
# `make coverage ROOMS="core accounts"`.
coverage: $(READY)
	scripts/coverage $(ROOMS)

# What proves the tests themselves, or takes long: planted bugs, valgrind, sanitizers,
# other systems, packages of others, tens of thousands of cases; at last, timings, the
# storm, and half an hour of traffic.
soak: $(READY) test-asan test-free-threaded cross fuzz fuzz-python
	$(PYTEST) $(PATIENT) -m soak
	.venv/bin/python benchmarks/passwords.py
	.venv/bin/python benchmarks/timing.py
	.venv/bin/python benchmarks/storm.py
	.venv/bin/python benchmarks/http.py
	$(MAKE) --no-print-directory endure

# Mixed traffic on a service with two workers, whose PostgreSQL and Redis are killed.
endure: $(READY)
	PYTHONPATH=tests/kit .venv/bin/python -m endurance --minutes $(MINUTES)

# Small faults in the code, one at a time, each of which some test ought to find:
# `make mutants FILES="claims.c refresh.py"`.
mutants: $(READY)
	.venv/bin/python scripts/mutants $(FILES)

# The core for other systems, compiled, linked, and run where an emulator can do that:
# `make cross TARGETS=s390x-linux-gnu`.
cross:
	scripts/cross $(TARGETS)

# Each fuzz target for SECONDS, from its seeds and what was found before, JOBS of them at a
# time; an input that makes one fail is kept in build/fuzz.
fuzz: .venv/.made
	@$(MAKE) --no-print-directory fuzz-run FUZZ_CC="$$(scripts/prepare-fuzz)"

fuzz-run: $(FUZZERS)
	@scripts/fuzz --seconds $(SECONDS) --jobs $(JOBS) $(FUZZERS)

# Which lines of csrc/lib the seeds reach, with what was found by `make fuzz`.
fuzz-coverage: .venv/.made
	@$(MAKE) --no-print-directory fuzz-count FUZZ_CC=gcc \
	    FUZZ_HOME=build/fuzz/coverage FUZZ_SANITIZERS=--coverage

fuzz-count: $(FUZZERS)
	@scripts/fuzz-coverage $(FUZZERS)

# Random calls of every entry point of the core, for SECONDS, or those of SEED again;
# `make fuzz-python SEED=5 OPTIONS="--case 77"` makes one, and shows it.
fuzz-python: .venv/.with-dev .venv/.built
	PYTHONPATH=tests/kit .venv/bin/python -m core_fuzz $(SECONDS) \
	    $(SEED:%=--seed %) $(OPTIONS)

# In fresh systems of RELEASES: `make run` serves, and what ALSO names passes.
prove-set-up:
	scripts/prove-set-up $(RELEASES) $(addprefix --also ,$(ALSO))

# The documentation site, in build/docs/site; what is wrong with a page or a link fails it.
docs: .venv/.with-dev .venv/.built
	.venv/bin/python scripts/docs

# Every page in a browser, light and dark, on a desktop and on a phone; `make test` looks
# at a few. Screenshots are kept in build/docs-screenshots.
docs-test: $(READY)
	$(PYTEST) -m "soak or not soak" tests/site

# The site, at the port of PORT, until Ctrl-C.
docs-serve: docs
	.venv/bin/python -m http.server --bind 127.0.0.1 --directory build/docs/site $(PORT)

bench: .venv/.with-dev
	scripts/bench --algorithms HS256 RS256 ES256 EdDSA

# The page docs/trust/benchmarks.md with its plots, in less than ten minutes; leave the
# machine alone meanwhile. `make bench-report REPORT="--only routes storm"` takes a part.
REPORT ?=
bench-report: .venv/.made
	scripts/bench-report $(REPORT)

lint: .venv/.with-dev
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	cd python && ../.venv/bin/lint-imports --config ../pyproject.toml --no-cache
	! command -v clang-format >/dev/null || clang-format --dry-run -Werror $(C_FILES)

# Not .env and not the database: they are yours.
clean:
	rm -rf .venv build dist .*_cache .hypothesis
	rm -rf python/fastbearer.egg-info python/fastbearer/_core.*.so
	find python tests -name __pycache__ -exec rm -rf {} +

# A wheel for each Python that is here, in dist, with OpenSSL inside.
wheel: .venv/.made
	.venv/bin/python scripts/wheel

# Install each wheel of dist in an empty Debian, and ask the service for a page there.
prove-wheels: .venv/.made
	.venv/bin/python scripts/prove-wheel

# --- C without Python ---------------------------------------------------------

build/libfastbearer.a: $(LIB_FILES:csrc/lib/%.c=build/c/%.o)
	@rm -f $@
	@ar rcs $@ $^

build/c/%.o: csrc/lib/%.c $(filter %.h,$(C_FILES)) | .venv/.made
	@mkdir -p $(@D)
	@$(CC) $(LIB_FLAGS) -Icsrc/lib -c -o $@ $<

build/check/argon2_check: LDFLAGS += -Wl,--wrap=pthread_create

build/check/verdict_check: LDFLAGS += $(addprefix -Wl$(COMMA)--wrap=,\
    fb_argon2_compute EVP_PBE_scrypt fb_sodium_scrypt PKCS5_PBKDF2_HMAC fb_pbkdf2_sha256 \
    fb_blowfish_encrypt fb_hmac_sign EVP_DigestFinal_ex HMAC EVP_EncryptUpdate)

build/check/verify_work_check: LDFLAGS += -Wl,--wrap=EVP_DigestVerify

build/check/sealed_check: LDFLAGS += -Wl,--wrap=PKCS8_decrypt

build/check/work_check: LDFLAGS += $(addprefix -Wl$(COMMA)--wrap=,\
    fb_argon2_compute EVP_PBE_scrypt fb_sodium_scrypt PKCS5_PBKDF2_HMAC \
    fb_pbkdf2_sha256 fb_blowfish_setup \
    fb_sha_crypt_compute fb_md5_crypt_compute fb_phpass_compute fb_salted_salt_last)

$(SECRETS): build/check/%: tests/c/%.wraps tests/c/secrets.h
$(SECRETS): LDFLAGS += @$(@:build/check/%=tests/c/%).wraps
build/check/verdict_check build/check/digest_secrets_check: tests/c/hash_samples.h

# As the release is compiled, where the compiler sees all files at once: what it makes of
# a comparison there is another thing. --wrap needs what it wraps to be a file of its own.
RELEASE_FLAGS = $(LIB_FLAGS) -O3 -DNDEBUG -fno-semantic-interposition -D_FORTIFY_SOURCE=2 \
    -fstack-protector-strong -fstack-clash-protection
EQUAL = csrc/lib/crypto/equal.c
build/check/release/%: tests/c/%.c tests/c/%.wraps $(C_FILES) | .venv/.made
	@mkdir -p $(@D)
	@$(CC) $(RELEASE_FLAGS) -Icsrc/lib -c -o $@_equal.o $(EQUAL)
	@$(CC) $(RELEASE_FLAGS) -Icsrc/lib -c -o $@.o $<
	@$(CC) $(RELEASE_FLAGS) -flto=auto -Icsrc/lib -o $@ $@.o $@_equal.o \
	    $(filter-out $(EQUAL),$(LIB_FILES)) @tests/c/$*.wraps $(LIB_LIBRARIES)

# The functions that failing.h lets fail.
build/check/failure_check: tests/c/failing.h
build/check/failure_check: LDFLAGS += $(shell sed -n \
    's/^[A-Z][A-Z0-9_]*.[^,]*, \([A-Za-z0-9_]*\),.*/-Wl,--wrap=\1/p' tests/c/failing.h)

build/check/%: tests/c/%.c build/libfastbearer.a
	@mkdir -p $(@D)
	@$(CC) $(LIB_FLAGS) -Icsrc/lib -o $@ $< build/libfastbearer.a $(LDFLAGS) $(LIB_LIBRARIES)

build/check/fuzz_%: tests/c/fuzz_%.c tests/c/fuzz_main.c $(wildcard tests/c/*.h) \
    build/libfastbearer.a
	@mkdir -p $(@D)
	@$(CC) $(LIB_FLAGS) $(SEED_FLAGS) -O1 -Icsrc/lib -o $@ $< tests/c/fuzz_main.c \
	    build/libfastbearer.a $(SEED_LIBRARIES)

# With clang there is libFuzzer; otherwise fuzz_main.c gives the inputs.
FUZZ_IS_CLANG = $(findstring clang,$(FUZZ_CC))
FUZZ_DRIVER = $(if $(FUZZ_IS_CLANG),-fsanitize=fuzzer,$(FUZZ_HOME)/fuzz_main.o)
FUZZ_SANITIZERS ?= -fno-sanitize-recover=all \
    -fsanitize=address,undefined$(if $(FUZZ_IS_CLANG),$(COMMA)fuzzer-no-link)
FUZZ_FLAGS = $(LIB_FLAGS) $(SEED_FLAGS) -O1 -fno-omit-frame-pointer $(FUZZ_SANITIZERS)

.PRECIOUS: $(FUZZ_HOME)/%.o
$(FUZZ_HOME)/fuzz_%: $(FUZZ_HOME)/fuzz_%.o $(FUZZ_HOME)/fuzz_main.o $(FUZZ_HOME)/lib.a
	@$(FUZZ_CC) $(FUZZ_FLAGS) -o $@ $< $(FUZZ_DRIVER) $(FUZZ_HOME)/lib.a $(SEED_LIBRARIES)

$(FUZZ_HOME)/lib.a: $(LIB_FILES:csrc/lib/%.c=$(FUZZ_HOME)/lib/%.o)
	@rm -f $@
	@ar rcs $@ $^

$(FUZZ_HOME)/lib/%.o: csrc/lib/%.c $(filter %.h,$(C_FILES)) | .venv/.made
	@mkdir -p $(@D)
	@$(FUZZ_CC) $(FUZZ_FLAGS) -Icsrc/lib -c -o $@ $<

$(FUZZ_HOME)/%.o: tests/c/%.c $(wildcard tests/c/*.h) $(filter %.h,$(C_FILES)) | .venv/.made
	@mkdir -p $(@D)
	@$(FUZZ_CC) $(FUZZ_FLAGS) -Icsrc/lib -c -o $@ $<

# --- what is done once --------------------------------------------------------

.venv/.made: scripts/prepare scripts/apt-install
	scripts/prepare
	@touch $@

.venv/.set-up: scripts/prepare-tests | .venv/.with-dev
	scripts/prepare-tests
	@touch $@

.venv/.built: setup.py $(C_FILES) .venv/.made
	@echo "fastbearer: compiling the core" >&2
	.venv/bin/python -m pip install -qq --disable-pip-version-check \
	    --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.with-%: pyproject.toml scripts/pip-install .venv/.made
	scripts/pip-install ".[$*]"
	@touch $@ .venv/.built

.env: | .venv/.with-app
	@secret=$$(.venv/bin/fastbearer secret) && umask 077 && \
	    echo "BETTER_AUTH_SECRET=$$secret" >$@
	@echo "made .env with a fresh random BETTER_AUTH_SECRET"
