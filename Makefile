# The front door. Everything below installs what it needs with apt, and does nothing where all is there.
BUILD := build/release
BINARY := $(BUILD)/entrepot
# Address of `make run`; FUZZ_SECONDS is per target; PATTERN chooses black-box scenarios.
LISTEN ?= 127.0.0.1:5000
FUZZ_SECONDS ?= 60
PATTERN ?=

.DEFAULT_GOAL := help
.PHONY: help run build test bench bench-p2p conformance fuzz soak format lint dist clean build-deps test-deps lint-deps configure

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

build-deps:
	@tools/install-build-deps.sh
test-deps:
	@tools/install-test-deps.sh
lint-deps:
	@tools/install-lint-deps.sh

configure: build-deps
	@[ -f $(BUILD)/build.ninja ] || cmake --preset release $(if $(shell command -v ccache),-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)

build: configure ## build build/release/entrepot
	@cmake --build --preset release --target entrepot

run: build ## build, and serve on 127.0.0.1:5000 with data in ./var
	@exec $(BINARY) serve --listen $(LISTEN) --data ./var

test: test-deps build ## build and run every test: programs with ASan and UBSan, stories with the release
	@tools/run_sanitized.sh asan --stories $(BINARY)

bench: test-deps build ## measure beside nginx and docker-registry, into bench/RESULTS.md
	@cmake --preset release -DENTREPOT_BENCH=ON >/dev/null
	@cmake --build --preset release --target entrepot_load
	@bench/run.py

bench-p2p: build ## roll images out to 40 nodes (needs root) and simulate to a thousand, into bench/P2P.md
	@bench/rollout.py --build $(BUILD)
	@bench/p2p.py --build $(BUILD)

conformance: test-deps build ## run the OCI conformance suites (needs Go 1.24 or later)
	@tests/conformance/run.sh $(BINARY)

fuzz: build-deps ## run each fuzz target for FUZZ_SECONDS
	@tools/run_fuzzers.sh $(FUZZ_SECONDS)

soak: test-deps build ## the long tests, an hour and more: kill -9, garbage collection raced, killed and modelled
	@cmake --build --preset release --target gc_race_test
	@ENTREPOT_TSAN_TESTS='^unit\.(agent|delivery|swarm_net)$$' tools/run_sanitized.sh tsan
	@ENTREPOT_SOAK=1 tests/blackbox/run.py --binary $(BINARY) kill9 quota_drift three_sites
	@ENTREPOT_SOAK=1 tests/blackbox/run.py --binary $(BINARY) --database postgres quota_drift
	@ENTREPOT_SOAK=1 tools/check_model.py
	@ENTREPOT_RACE_SECONDS=1200 ENTREPOT_KILL_ROUNDS=300 $(BUILD)/gc_race_test

format: lint-deps ## format the C++ source in place
	@git ls-files -co --exclude-standard '*.cpp' '*.hpp' | xargs clang-format-19 -i

lint: lint-deps configure ## rooms, formatting, clang-tidy
	@tools/lint.sh $(BUILD)

dist: test-deps build ## a .deb and an OCI image archive, in build/dist
	@tools/make-deb.sh $(BINARY) build/dist
	@tools/make-image.sh $(BINARY) build/dist

clean: ## remove build/ (not ./var)
	@rm -rf build
