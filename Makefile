# Every command of InkFlow, for a laptop and for CI alike. `make` alone lists them. None needs root or an account.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Cargo's own folder in this checkout, unless CARGO_TARGET_DIR or INKFLOW_SHARED_TARGET=1 says otherwise.
export CARGO_TARGET_DIR := $(shell CARGO_TARGET_DIR='$(CARGO_TARGET_DIR)' INKFLOW_SHARED_TARGET='$(INKFLOW_SHARED_TARGET)' tools/dev/setup/target-dir)
ifdef CI
# A run that builds once gains nothing from incremental files and pays for writing them.
export CARGO_INCREMENTAL ?= 0
endif

bin := $(CARGO_TARGET_DIR)/debug
functions := $(patsubst functions/%/Cargo.toml,%,$(wildcard functions/*/Cargo.toml))
# Names the step, then runs and times the command that follows it.
step = @echo "== $(1)"; TIMEFORMAT="== $(1): %0lR"; time

.PHONY: help
help:
	@echo 'InkFlow. Start with `make dev`; before a commit, `make check`.'; echo
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

site := frontend/dist/assets.json
packages := frontend/node_modules/.installed

.PHONY: site
site: $(site) ## Build the site into frontend/dist

# No package's own scripts: none is needed, and each would be a stranger's program on this machine.
$(packages): frontend/package-lock.json
	@tools/dev/setup/npm-packages frontend --ignore-scripts && touch $@

$(site): $(packages) $(shell find frontend/src frontend/public frontend/scripts frontend/booking -type f 2>/dev/null) $(wildcard frontend/*.html frontend/*.ts frontend/package.json)
	@cd frontend && npm run --silent build

.PHONY: own-target
own-target:
	@tools/dev/setup/own-target $$PPID

.PHONY: dev
dev: own-target $(site) ## Run everything on this machine: PORT=8080, RESET=1 to start over, Ctrl-C to stop
	@echo 'Building (the first time takes minutes, then seconds) ...'
	@cargo build --workspace --bins
	@exec "$(bin)/dev" up

.PHONY: test
test: own-target $(site) ## Run every test on a private PostgreSQL; ARGS="-p slots" for some of them
	@tools/dev/test $(ARGS)

# The model for as long as asked, then 10 000 bookings by 100 clients on the compiled functions, killed and cut off all along, and
# a crowd of robots and people before one artist's books.
MINUTES ?= 10
.PHONY: chaos
chaos: own-target $(site) ## Try to break the promises for MINUTES=10 minutes, and print the figures
	@cargo build --workspace --bins && cargo build -p chaos --tests
	@if bouncer=$$(tools/dev/setup/pgbouncer); then export PGBOUNCER_BIN="$$bouncer"; fi; \
	export CHAOS_SECONDS=$$(( $(MINUTES) * 60 )) CHAOS_BOOKINGS=$(or $(BOOKINGS),10000) CHAOS_CLIENTS=$(or $(CLIENTS),100); \
	export CHAOS_ROBOTS=$(or $(ROBOTS),10000) CHAOS_NETWORKS=$(or $(NETWORKS),1000) CHAOS_PEOPLE=200 CHAOS_TIMES=40; \
	"$(bin)/dev" with-services -- cargo nextest run -p chaos --no-capture -E 'binary(model) + binary(processes) + binary(crowd)'

# libFuzzer's instrumentation is unstable in rustc: the pinned stable compiler takes it when told so.
.PHONY: fuzz
fuzz: ## Throw bytes at one door: TARGET=booking_body SECONDS=60 (needs `cargo install cargo-fuzz`)
	@cargo fuzz --version >/dev/null 2>&1 || { echo 'cargo-fuzz is not installed: cargo install cargo-fuzz' >&2; exit 2; }
	@cd tools/fuzz && RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer none $(or $(TARGET),booking_body) -- -max_total_time=$(or $(SECONDS),60)

.PHONY: check
check: own-target ## Do what CI's main job does: format, clippy, docs, site, dependencies, tests
	$(call step,format) cargo fmt --all --check
	$(call step,clippy) cargo clippy --quiet --workspace --all-targets -- -D warnings
	$(call step,docs) env RUSTDOCFLAGS=-Dwarnings cargo doc --quiet --workspace --no-deps
	$(call step,site) $(MAKE) --no-print-directory check-site
	$(call step,dependencies) $$(tools/dev/setup/cargo-deny) check bans licenses sources
	$(call step,tests) $(MAKE) --no-print-directory test

# The types come from the document, the document from the code (tools/testing/tests/openapi.rs): a drift anywhere shows.
.PHONY: check-site
check-site: $(packages)
	@cd frontend && npm run --silent format:check >/dev/null || { echo 'The site is not formatted: make fmt' >&2; exit 1; }
	@cd frontend && npm run --silent typecheck && npx --no-install openapi-typescript openapi.json \
		--default-non-nullable=false --output node_modules/.api-types.ts >/dev/null && \
		cmp -s node_modules/.api-types.ts src/api-types.ts || { \
		echo 'frontend/src/api-types.ts is not what openapi.json says: cd frontend && npm run types' >&2; exit 1; }
	@tools/dev/setup/npm-packages frontend/tests && cd frontend/tests && npm run --silent typecheck

.PHONY: frontend-report
frontend-report: own-target $(site) ## Measure the site and lay every state on one sheet, in .inkflow/report
	@cargo build --workspace --bins
	@frontend/report/run

.PHONY: pictures
pictures: own-target $(site) ## Take the three pictures of README.md anew, into docs/pictures
	@cargo build --workspace --bins
	@INKFLOW_DEV="$(bin)/dev" frontend/tests/run --config pictures.config.ts

.PHONY: audit
audit: ## Look the dependencies up in RustSec's list of advisories, which it fetches from GitHub
	@$$(tools/dev/setup/cargo-deny) check advisories

.PHONY: fmt
fmt: $(packages) ## Format the code: Rust, and the site with the tour's pages
	@cargo fmt --all
	@cd frontend && npm run --silent format

.PHONY: openapi
openapi: own-target ## Write frontend/openapi.json anew from the code
	@UPDATE_OPENAPI=1 cargo test --quiet -p testing --test openapi

.PHONY: reviewed-plan
reviewed-plan: own-target ## Write anew what Terraform would make (infra/tests/plan), to be read in the commit
	@options=$$(tools/dev/setup/terraform); UPDATE_PLAN=1 TEST_TERRAFORM="yes $$options" cargo test --quiet -p testing --test infra the_plan_is

.PHONY: migrate
migrate: own-target ## Apply the schema to DATABASE_URL; ALONE=1 where nobody uses it, as long as it takes
	@[ -n "$${DATABASE_URL:-}" ] || { echo 'Set DATABASE_URL: postgres://user:password@host:5432/database' >&2; exit 2; }
	@cargo run --quiet -p migrations --bin migrate $(if $(ALONE),-- --alone)

# arm64 is what production runs on. x86_64 is for a machine whose Rust cannot cross-compile. zig links for both, because
# the host's own C library may be newer than Lambda's: provided.al2023 has glibc 2.34. For older ones, which is what
# cargo-lambda would choose, a start loads libpthread and libdl as well.
ARCH ?= arm64
rust_target := $(if $(filter arm64,$(ARCH)),aarch64,x86_64)-unknown-linux-gnu
lambda_glibc := 2.34

.PHONY: build
build: ## Build the zip of every function into dist/ (ARCH=arm64 or x86_64)
	@[ '$(ARCH)' = arm64 ] || [ '$(ARCH)' = x86_64 ] || { echo 'ARCH is arm64 or x86_64, not "$(ARCH)"' >&2; exit 2; }
	@[ -d "$$(rustc --print sysroot)/lib/rustlib/$(rust_target)" ] || { \
		echo 'Rust cannot compile for $(rust_target) here. Either add it:' >&2; \
		echo '    rustup target add $(rust_target)' >&2; \
		echo 'or build for the other processor, and deploy with the same setting: make build ARCH=x86_64' >&2; exit 2; }
	@tools=$$(tools/dev/setup/cargo-lambda); rm -rf dist/functions; \
	PATH="$$tools:$$PATH" cargo lambda build --release --target $(rust_target).$(lambda_glibc) \
		--output-format zip --lambda-dir dist/functions $(addprefix --package ,$(functions))
	@for function in $(functions); do \
		printf '%9d bytes  %s\n' "$$(wc -c <"dist/functions/$$function/bootstrap.zip")" "dist/functions/$$function/bootstrap.zip"; done

floors := floor-runtime floor-http floor-select floor-clients
peer := tools/bench/peer/dist/slots.js

$(peer): tools/bench/peer/package-lock.json tools/bench/peer/package.json $(wildcard tools/bench/peer/src/*.js)
	@tools/dev/setup/npm-packages tools/bench/peer --ignore-scripts && cd tools/bench/peer && npm run --silent build

# The functions are compiled apart from the bench, as for a release: what the bench needs of a crate is not in them.
.PHONY: bench
bench: own-target $(site) $(peer) ## Measure everything, into tools/bench/RESULTS.md: QUICK=1 in under three minutes
	@cargo build --release $(addprefix --package ,$(functions) $(floors))
	@cargo build --release --package bench
	@"$(CARGO_TARGET_DIR)/release/bench" $(if $(filter-out 0,$(QUICK)),quick)

# --- Deployed environments: docs/deploy.md brings one up; infra/README.md is the runbook ---

# RELEASE=v1.2.3: every command below takes what `make fetch-release` laid down, and compiles nothing.
ifdef RELEASE
release_dir := $(CURDIR)/.inkflow/releases/$(RELEASE)
export FUNCTIONS_DIR ?= $(release_dir)/functions
export SITE_DIR ?= $(release_dir)/site
export PROGRAMS ?= $(release_dir)/programs
endif

.PHONY: fetch-release
fetch-release: ## Fetch what a release has built, and check it: RELEASE=v1.2.3 (ARCH=arm64); then deploy needs no compiler
	@infra/fetch-release "$(RELEASE)" "$(ARCH)"

.PHONY: deploy
deploy: ## Bring this checkout to an environment: ENV=prod; shows the plan and asks first; RELEASE=v1.2.3 builds nothing
	@infra/deploy

.PHONY: database
database: ## Migrate an environment's database, and give the functions their password: ENV=prod
	@infra/database

.PHONY: artist
artist: ## Invite an artist, or change what they may: ENV=prod EMAIL=…; PAYMENTS=yes lets deposits be taken, CLOSE=1 closes the page
	@infra/artist

.PHONY: secret
secret: ## Put a secret where the functions read it: ENV=prod NAME=STRIPE_SECRET_KEY; it is asked for, or comes by a pipe
	@infra/secret

.PHONY: reseal
reseal: ## Seal with the new ENCRYPTION_KEY whatever an older one has sealed: ENV=prod
	@infra/doctor reseal

.PHONY: doctor
doctor: ## Look at every setting of an environment, and say what to do: ENV=prod; MEND=1 makes a missing Stripe endpoint
	@infra/doctor doctor $(if $(MEND),--mend)

.PHONY: smoke
smoke: ## Ask a site what every visitor asks: URL=https://inkflow.example
	@infra/smoke "$(URL)"

.PHONY: rollback
rollback: ## Put an environment's functions back to the last release that all of them have: ENV=prod; FUNCTION=worker for one
	@infra/rollback

.PHONY: output
output: ## Say what Terraform knows of an environment: ENV=prod NAME=dns_records
	@infra/output

.PHONY: redrive
redrive: ## Send the dead letters of an environment to the queue again: ENV=prod
	@infra/doctor redrive

.PHONY: stop start
stop: ## Let no function of an environment run, deleting nothing: ENV=prod
	@infra/stop

start: ## Let them run again: ENV=prod
	@infra/stop start

.PHONY: destroy
destroy: ## Take an environment away, but neither its database nor its pictures: ENV=staging; SECRETS=1 deletes those, too
	@infra/destroy

.PHONY: clean-dev
clean-dev: ## Delete the data of `make dev` and the tools that were fetched for it
	@for pid in $$(find .inkflow -name postmaster.pid -exec head -n 1 {} \; 2>/dev/null); do \
		if ps -p "$$pid" >/dev/null; then echo 'make dev is still running: stop it first (Ctrl-C).' >&2; exit 2; fi; done
	rm -rf .inkflow
	@find "$${INKFLOW_CACHE:-$(HOME)/.cache/inkflow}" -mindepth 1 -maxdepth 1 ! -name target -exec rm -rf {} + 2>/dev/null || true
