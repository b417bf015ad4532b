# `make run` starts the service, `make test` runs every test; each first does what
# is missing. The files .venv/.* are stamps: what they name is done until it changes.

PORT ?= 8000
PIP = .venv/bin/python -m pip install -qq --disable-pip-version-check
C_FILES = $(shell find csrc -name '*.[ch]')
ASAN_LIBRARIES = $$($(CC) -print-file-name=libasan.so) $$($(CC) -print-file-name=libubsan.so)

LIB_FILES = $(shell find csrc/lib -name '*.c')
LIB_FLAGS = -std=c11 -O2 -g -fPIC -pthread -Wall -Wextra -Werror=unused-result

.PHONY: build lib run test test-asan test-compat soak bench lint clean
.DELETE_ON_ERROR:

build: .venv/.built

# The lower storey alone: without Python's headers, and with no path to them.
lib: build/libfastbearer.a

run: .venv/.with-app .venv/.built .env
	@echo "BETTER_AUTH_SECRET is taken from .env"
	@set -a && . ./.env && exec .venv/bin/fastbearer serve --port $(PORT)

test: .venv/.with-dev .venv/.built
	.venv/bin/python -m pytest

# The core's tests, with a core that AddressSanitizer and UBSan watch.
test-asan: .venv/.with-dev
	FASTBEARER_BUILD=sanitize .venv/bin/python setup.py -q \
	    build --build-base build/asan --build-lib build/asan/lib --force
	LD_PRELOAD="$(ASAN_LIBRARIES)" ASAN_OPTIONS=detect_leaks=0 PYTHONMALLOC=malloc \
	    PYTHONPATH=build/asan/lib .venv/bin/python -m pytest tests/core \
	    tests/better_auth/test_refusals.py tests/better_auth/test_samples.py \
	    tests/better_auth/test_tokens.py

# The test suites of the packages that the drop-ins stand in for.
test-compat: .venv/.with-dev .venv/.built
	.venv/bin/python scripts/test-compat

# What takes long: tens of thousands of cases, every planted bug, timings, the storm.
soak: .venv/.with-dev .venv/.built
	FASTBEARER_SOAK=1 .venv/bin/python -m pytest tests/core/test_argon2_kernels.py
	.venv/bin/python benchmarks/passwords.py
	.venv/bin/python benchmarks/timing.py
	.venv/bin/python benchmarks/storm.py
	.venv/bin/python benchmarks/http.py

bench: .venv/.with-dev
	scripts/bench --algorithms HS256 RS256 ES256 EdDSA

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

.venv/.made: scripts/prepare scripts/apt-install
	scripts/prepare
	@touch $@

.venv/.chromium: scripts/prepare-chromium .venv/.made
	scripts/prepare-chromium
	@touch $@

.venv/.with-dev: .venv/.chromium

.venv/.built: setup.py $(C_FILES) .venv/.made
	.venv/bin/python setup.py -q build_ext --inplace --force
	@touch $@

.venv/.with-%: pyproject.toml .venv/.made
	$(PIP) --no-build-isolation --editable ".[$*]"
	@touch $@ .venv/.built

build/libfastbearer.a: $(LIB_FILES:csrc/lib/%.c=build/c/%.o)
	rm -f $@
	ar rcs $@ $^

build/c/%.o: csrc/lib/%.c $(filter %.h,$(C_FILES))
	@mkdir -p $(@D)
	$(CC) $(LIB_FLAGS) -Icsrc/lib -c -o $@ $<

.env: | .venv/.with-app
	@secret=$$(.venv/bin/fastbearer secret) && umask 077 && \
	    echo "BETTER_AUTH_SECRET=$$secret" >$@
	@echo "made .env with a fresh random BETTER_AUTH_SECRET"
