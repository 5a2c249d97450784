# Two commands do everything on a fresh machine: `make demo` and `make test`. Both install what is missing.

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint format bench soak sanitize test-release build package clean

help: ## Show this table.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Build and run an end-to-end demo: bookings from a Kafka topic, a worker, events back on a topic.
	@scripts/setup run
	@scripts/demo

test: ## Run every test. FILTER=REGEX runs those that match.
	@scripts/setup test
	@scripts/test

lint: ## Check form (swift format) and floors (who may import whom).
	@scripts/lint

format: ## Bring the sources into form.
	@swift format --in-place --parallel --recursive $(wildcard Package.swift Sources Tests Benchmarks sagas)

build: ## Build the release binary, .build/release/sagamore.
	@scripts/setup run
	@swift build --configuration release --product sagamore

package: ## Make a tarball with the program, manual page, completions and unit file: .build/package.
	@scripts/setup run
	@scripts/package

bench: ## Measure; prints JSON.
	@scripts/setup test
	@scripts/bench

soak: ## An hour of simulated worlds; then kill server, worker, database and broker fifty times each.
	@scripts/setup test
	@scripts/soak

SANITIZED = SagamoreThreadsTests SagamoreGRPCTests SagamorePostgresClientTests SagamoreKafkaClientTests
sanitize: ## Run the suites of threads and clients under Address- and ThreadSanitizer.
	@scripts/setup test
	@scripts/test --sanitize address $(SANITIZED)
	@scripts/test --sanitize thread $(SANITIZED)

test-release: ## Run the suites of the Swift library built with optimization: what optimizers assume is part of it.
	@scripts/setup test
	@scripts/test --release SagamoreSDKTests SagamoreWorkerTests TravelBookingTests

setup: ## Install what building, running and testing need (Debian, Ubuntu), or say what to install.
	@scripts/setup test

clean: ## Remove what was built; data of `sagamore dev` (.sagamore) stays.
	@rm -rf .build
