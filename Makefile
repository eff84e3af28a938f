# Junction. `make` or `make help` lists what there is.

SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# What `run`, `serve` and `bench` build: release or debug.
CONFIGURATION ?= release
export CONFIGURATION

.PHONY: help bootstrap build run serve test lint format coverage soak bench release clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

bootstrap: ## install the missing system packages (Debian; root or sudo)
	@Scripts/bootstrap

build: bootstrap ## build the junction program
	@Scripts/build

run: ## run examples/order-intake until nothing moves any more; running again continues
	@examples/order-intake/run

serve: ## the same, but keep the hub up until Ctrl-C
	@examples/order-intake/run --serve

test: ## run every test there is, with the services they need
	@Scripts/test

lint: bootstrap ## formatting, repository rules, and a build in which warnings are errors
	@Scripts/lint

format: ## rewrite the Swift sources in the project's format
	@swift format --in-place --parallel --recursive Sources Plugins Tests Package.swift

coverage: bootstrap ## line coverage per target; fails below the thresholds
	@Scripts/coverage

soak: ## kill the hub at random moments, again and again; MINUTES=10 SEED=1
	@Scripts/soak

bench: bootstrap ## every benchmark scenario in a release build, one JSON object a line; SCENARIO=name for one
	@Scripts/bench

release: bootstrap ## a tar.gz of the release build with its checksum in var/release
	@Scripts/release

clean: ## remove build products; data in var/ stays
	@rm -rf .build coverage
