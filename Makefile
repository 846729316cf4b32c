# SPDX-License-Identifier: GPL-2.0-or-later
# The front door. Every target installs what it needs first (scripts/setup),
# and re-uses what an earlier one left in build/.

SCENARIOS ?= all
LAB ?=
PREFIX ?= /usr/local

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 22

demo: ## a picture that a guest on Xen draws, as build/demo/*.png
	@scripts/setup
	@$(MAKE) --no-print-directory build
	@scripts/demo

desktop: ## a guest's desktop to click in, on VNC and in the browser on this machine
	@scripts/setup
	@$(MAKE) --no-print-directory build
	@scripts/desktop

test: ## static checks, native tests, some of the lab on both kernels, PV and PVH
	@scripts/setup test lab
	@scripts/test

build: driver backend guest-tests ## everything that the lab needs

driver: host ## the guest's kernel module, for both kernels: build/driver/RELEASE/
	@scripts/build-driver

driver-arm64: ## the module compiled for arm64, both kernels: build/arm64/RELEASE/
	@scripts/setup host arm64
	@scripts/build-arm64

backend: host ## xen-displayd and xen-displayctl: build/backend/
	@scripts/build-backend

guest-tests: host ## test programs of guests and lab: build/guest/, build/tools/
	@scripts/build-tests

unit: ## the native tests, with gcc and clang, under ASan and UBSan
	@scripts/setup host test
	@tests/native

check: driver backend ## static checks: checkpatch, sparse, coccicheck, clang-tidy, cppcheck …
	@scripts/setup host test
	@scripts/check

fuzz: ## every fuzz target for FUZZ_SECONDS (30) each; executions and coverage
	@scripts/setup host test
	@scripts/fuzz

mutants: ## can the tests fail? each promise of the threat model broken once
	@scripts/setup host test
	@scripts/mutants

test-debug: build ## the driver on a kernel with KASAN, lockdep and kmemleak; KUnit tests
	@scripts/setup debug lab
	@scripts/test-debug

soak: build ## random actions under clients that flip: make soak MINUTES=60 [SEED=s]
	@scripts/setup
	@scripts/soak $(or $(MINUTES),60) $(SEED)

test-browser: build ## a guest's screen in a real browser: Chromium, noVNC, websockets
	@scripts/setup browser lab
	@scripts/test-browser

lab: build ## scenarios in the lab: make lab SCENARIOS="01-boot ..." LAB="--guest pvh"
	@scripts/setup
	@lab/run $(SCENARIOS) $(LAB)

deb: ## Debian packages: the daemon, and the driver for DKMS: build/deb/
	@scripts/setup host deb
	@scripts/build-deb

install: backend ## daemon, tool, manual pages, unit: make install PREFIX=/usr DESTDIR=...
	@meson configure build/backend -Dprefix=$(PREFIX)
	@DESTDIR=$(DESTDIR) meson install -C build/backend

bench: build ## the in-tree module and ours in turn in one boot: bench/results/, a table, a plot
	@scripts/setup bench lab
	@bench/run

clean: ## remove what was built; downloads and images stay (build/cache)
	@for f in build/*; do case $$f in build/cache) ;; *) rm -rf "$$f" ;; esac; done

host:
	@scripts/setup host

.PHONY: help demo desktop test build driver driver-arm64 backend guest-tests unit check fuzz mutants test-debug soak test-browser lab bench deb install clean host
.NOTPARALLEL:
