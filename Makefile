.DEFAULT_GOAL := help
.PHONY: help cluster cluster-down crds bootstrap check test test-long lock

help: ## list the targets
	@awk -F':.*## ' '/^[a-z][a-z-]*:.*## / {printf "%-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

cluster: ## a real Kubernetes cluster with a node, a gateway and Prometheus
	python3 -m devcluster up --profile node

cluster-down: ## take it away again
	python3 -m devcluster down --profile node

crds: ## write the CRDs from the kinds
	.venv/bin/python -m turnout.api.crds crds charts/turnout/charts/turnout-crds/files

bootstrap: .venv/.ready ## the Python environment, from the hash-pinned lock

.venv/.ready: requirements/dev.txt requirements/uv.txt pyproject.toml
	scripts/bootstrap

check: .venv/.ready ## lint, types, layers, generated files
	scripts/check

test: check ## every check and test, on real parts
	scripts/test

test-long: check ## the same with the figures written in the issues
	scripts/test --long

lock: .venv/.ready ## pin the dependencies again
	scripts/lock

.PHONY: demo demo-down
demo: .venv/.ready ## a better prompt is promoted, a worse one takes itself back: played and checked
	.venv/bin/python -m demo

demo-down: .venv/.ready ## take the demo's cluster away
	.venv/bin/python -m demo down

.PHONY: bench-gates
bench-gates: .venv/.ready ## how often gates are wrong, ours and others': tables, targets (SEED=n)
	.venv/bin/python -m benchmarks.gates --seed $(or $(SEED),1) $(if $(OUT),--out $(OUT))

.PHONY: bench-fleet
bench-fleet: .venv/.ready ## what hundreds of canaries cost, and how soon bad ones are back (AGENTS=n)
	.venv/bin/python -m benchmarks.fleet --agents $(or $(AGENTS),200) $(if $(IDLE),--idle $(IDLE)) $(if $(OUT),--out $(OUT))
