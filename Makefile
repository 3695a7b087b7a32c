# `make` alone lists what there is.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

# Pinned here and not in go.mod: its two hundred dependencies are no part of the program.
GOLANGCI := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

# bash's own `time` prints one line a step.
export TIMEFORMAT := --- %0lR

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1	\2/p' $(MAKEFILE_LIST) | expand -t 14

.PHONY: build
build: ## bin/bluetap, one static binary
	CGO_ENABLED=0 go build -trimpath -ldflags '-X main.version=$(VERSION)' -o bin/bluetap ./cmd/bluetap

.PHONY: demo
demo: build ## a day of a small team on a throw-away PostgreSQL: every event, as it lands
	.ci/install server
	@bin/bluetap demo

# How long each fuzz target runs in `make test` and `make fuzz`.
FUZZTIME ?= 2s

# Most tests wait for processes and servers more than they compute: twice as many at once as a small machine has cores.
PARALLEL ?= 4

# Uncached, since Go does not see that the PostgreSQL behind the tests is another one. The second run is not spared
# by -race in the first: it is several times slower, and some faults hide behind that.
.PHONY: test
test: ## every test, most with the race detector too, against a real PostgreSQL; some fuzzing
	.ci/install server gcc node
	time go vet ./...
	time go test -count=1 -parallel $(PARALLEL) -timeout 45m ./...
	time CGO_ENABLED=1 go test -count=1 -race -parallel $(PARALLEL) -timeout 60m ./...
	time FUZZTIME=$(FUZZTIME) .ci/fuzz

.PHONY: fuzz
fuzz: ## every fuzz target, FUZZTIME each (2s)
	time FUZZTIME=$(FUZZTIME) .ci/fuzz

# The history test for as long as asked, and until so much has happened: SOAK_FOR=5m SOAK_TRANSACTIONS=5000 SOAK_FAULTS=30
# make soak. SOAK_SEED plays an earlier one again.
SOAK_FOR ?= 60m
SOAK_TRANSACTIONS ?= 100000
SOAK_FAULTS ?= 300
SOAK_KINDS ?= 10

.PHONY: soak
soak: build ## the history test for SOAK_FOR (60m): random transactions, faults of every kind, and a check of every event
	.ci/install server
	go build -o bin/ ./bench/soak
	time bin/soak -for $(SOAK_FOR) -transactions $(SOAK_TRANSACTIONS) -faults $(SOAK_FAULTS) -kinds $(SOAK_KINDS) $(if $(SOAK_SEED),-seed $(SOAK_SEED))

.PHONY: bench-quick
bench-quick: build ## latency and throughput beside a bare floor, two minutes
	.ci/install server
	go build -o bin/ ./bench/floor ./bench/quick
	time bin/quick

.PHONY: giant
giant: ## transactions of a million rows: time of each stage, disk and memory; what is forecast of the disk; minutes
	.ci/install server
	time BLUETAP_GIANT_ROWS=1000000 go test -count=1 -timeout 90m -v -run '^(TestGiant|TestRoomForecast)$$' ./cmd/bluetap

.PHONY: lint
lint: ## golangci-lint
	time $(GOLANGCI) run

.PHONY: fmt
fmt: ## format the code
	$(GOLANGCI) fmt
