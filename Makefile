# Targets for people; "make help" lists them. CI calls .ci/run.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build

GO ?= go
PREFIX ?= /usr/local
# Without a tag the commit; empty without a repository, as in a source archive.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)
STATICCHECK ?= honnef.co/go/tools/cmd/staticcheck@v0.8.2

# One test binary may take this long; the end-to-end tests build and boot images.
TEST_TIMEOUT ?= 25m
# More flags of go test, such as TESTFLAGS=-race or TESTFLAGS='-run TestKill'.
TESTFLAGS ?=
PACKAGES ?= ./...

# What the demo builds; a release that will not change under it.
DEMO_RELEASE ?= bookworm

ROOT := $(filter 0,$(shell id -u))

.PHONY: build
build: ## bin/dibgraph, a static binary
	@CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '-s -w -X main.version=$(VERSION)' -o bin/dibgraph ./cmd/dibgraph

.PHONY: demo
demo: build ## install what is missing, then build debian.qcow2
	bin/dibgraph doctor --install
	$(if $(ROOT),,sudo )env DIB_RELEASE=$(DEMO_RELEASE) bin/dibgraph build -o debian debian-minimal vm
	@ls -l debian.qcow2

.PHONY: test
test: build ## install what the tests need, then run all of them (root tests: as root)
ifdef ROOT
	bin/dibgraph doctor --install --for-tests
	DIBGRAPH_TEST_ROOT=1 $(GO) test -json -timeout $(TEST_TIMEOUT) $(TESTFLAGS) $(PACKAGES) | $(GO) run ./internal/testreport '^needs an ordinary user' '^needs a Debian host' '^this host has a device mapper' '^only in make mutate' '^only in make compat'
else
	bin/dibgraph doctor --for-tests || true
	$(GO) test -json -timeout $(TEST_TIMEOUT) $(TESTFLAGS) $(PACKAGES) | $(GO) run ./internal/testreport '^needs root'
	@echo 'You are not root: the tests listed above as "needs root" were LEFT OUT. All of them: make root-test' >&2
endif

.PHONY: root-test
root-test: ## make test as root, by sudo if need be
	$(if $(ROOT),,sudo env "PATH=$$PATH" )$(MAKE) test

.PHONY: lint
lint: ## gofmt, go vet, staticcheck, shellcheck (where installed)
	@bad=$$(gofmt -l .); if [ -n "$$bad" ]; then echo "gofmt -w $$bad" >&2; exit 1; fi
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	scripts/shell-check

.PHONY: check
check: lint race ## lint, and the tests that need no root with the race detector

.PHONY: race
race: ## the tests that need no root with the race detector
	DIBGRAPH_TEST_ROOT= $(GO) test -race -short -timeout $(TEST_TIMEOUT) $(PACKAGES)

.PHONY: bench
bench: ## all benchmarks; as root also those that mount
	$(if $(ROOT),DIBGRAPH_TEST_ROOT=1 )$(GO) test -run '^$$' -bench . -benchmem -timeout $(TEST_TIMEOUT) $(TESTFLAGS) $(PACKAGES)

# How often each way is measured; DIBGRAPH_BENCH_TREE and DIBGRAPH_BENCH_RAW are inherited.
ROUNDS ?= 3

.PHONY: bench-peers
bench-peers: build ## whole builds in turns with diskimage-builder; copy and conversion with cp, rsync, tar, mke2fs -d, qemu-img; as root
	$(if $(ROOT),,sudo )bin/dibgraph doctor --install --for-tests
	$(if $(ROOT),,sudo )env "PATH=$$PATH" ROUNDS=$(ROUNDS) scripts/bench-peers

# The table of the mutation suite; "-" writes none.
MUTATE_TABLE ?= -

.PHONY: mutate
mutate: build ## every edit of the mutation suite, against clean builds; as root; half an hour
	$(if $(ROOT),,sudo )env "PATH=$$PATH" DIBGRAPH_TEST_ROOT=1 DIBGRAPH_MUTATE='$(MUTATE_TABLE)' $(GO) test ./cmd/dibgraph -run '^TestMutate' -v -timeout 120m $(TESTFLAGS)

# The table of what elements of diskimage-builder come to; "-" writes none.
COMPAT_TABLE ?= -

.PHONY: compat
compat: build ## diskimage-builder and its elements against dibgraph; as root; hours
	$(if $(ROOT),,sudo )bin/dibgraph doctor --install --for-tests
	$(if $(ROOT),,sudo )env "PATH=$$PATH" DIBGRAPH_TEST_ROOT=1 DIBGRAPH_COMPAT='$(COMPAT_TABLE)' $(GO) test ./cmd/dibgraph -run '^TestCompat' -v -timeout 180m $(TESTFLAGS)

# The table of the suites of faults; "-" writes none.
FAULTS_TABLE ?= -

# A suite is a test whose name begins with TestFaults, in any package.
.PHONY: faults
faults: build ## kills, damage of the store, remotes that fail and lie, at full size; as root; an hour
	$(if $(ROOT),,sudo )env "PATH=$$PATH" DIBGRAPH_TEST_ROOT=1 DIBGRAPH_FAULTS=full $(GO) test -run '^TestFaults' -v -timeout 120m $(TESTFLAGS) $(PACKAGES) | $(GO) run ./internal/faultreport '$(FAULTS_TABLE)'

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (5s), and every property many times
	scripts/fuzz

.PHONY: install
install: build ## to $(DESTDIR)$(PREFIX)/bin, with the names of diskimage-builder
	install -D -m 755 bin/dibgraph '$(DESTDIR)$(PREFIX)/bin/dibgraph'
	ln -sf dibgraph '$(DESTDIR)$(PREFIX)/bin/disk-image-create'
	ln -sf dibgraph '$(DESTDIR)$(PREFIX)/bin/ramdisk-image-create'

.PHONY: clean
clean: ## remove what was built here; images and the cache stay
	rm -rf bin
	$(GO) clean -testcache

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 12
