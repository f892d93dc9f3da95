# The verbs of this project; CI runs the same (.ci/run).

export SUBGATE_PARTS := $(CURDIR)/.parts
# Arguments of the demonstration: `make demo ARGS=--once`.
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help fmt clippy doc test test-redis-matrix fuzz deny vectors bench demo parts

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

parts: ## get the real parts (Envoy, an OpenID provider, Redis) into .parts/
	@scripts/parts.sh

fmt: ## check the formatting
	cargo fmt --check

clippy: ## check the lints
	cargo clippy --all-targets --locked -- -D warnings
	cargo clippy --test vectors --locked -- -D warnings

doc: ## build the documentation, private items included
	RUSTDOCFLAGS=-Dwarnings cargo doc --no-deps --locked --document-private-items

test: parts ## run all tests, those against real Envoy included
	cargo test --locked

test-redis-matrix: parts ## run the tests of Redis against all versions that are supported
	@scripts/parts.sh redis-matrix
	cargo test --locked --test it --no-run
	@for redis in redis-6.2 redis-7.0 redis-8.2 valkey-9.1; do \
	  echo "== $$redis"; \
	  SUBGATE_REDIS=$$redis cargo test --locked --test it -- redis replica || exit 1; \
	done

fuzz: ## run the property tests over other cases, and more of them (PROPTEST_CASES)
	PROPTEST_RNG_SEED=$$(od -An -N4 -tu4 /dev/urandom | tr -d ' ') PROPTEST_CASES=$${PROPTEST_CASES:-20000} cargo test --locked --lib --test it

deny: ## check licences, bans and sources of the dependencies
	@scripts/parts.sh deny
	$(SUBGATE_PARTS)/bin/cargo-deny --locked check licenses bans sources

vectors: ## run the public test vectors in SUBGATE_VECTORS
	@test -n "$$SUBGATE_VECTORS" || { echo "make vectors: set SUBGATE_VECTORS to the folder of the public test vectors" >&2; exit 1; }
	@test -d "$$SUBGATE_VECTORS" || { echo "make vectors: SUBGATE_VECTORS names no folder: $$SUBGATE_VECTORS" >&2; exit 1; }
	cargo test --locked --test vectors

bench: parts ## measure, and print the tables of docs/benchmarks.md
	cargo bench --locked --bench ext_authz --bench decision --bench allocations --bench directory_cost

demo: parts ## try every cause against a real Envoy (ARGS=--once to exit after the table)
	cargo build --release --locked
	cargo run --release --locked --example demo -- $(ARGS)
