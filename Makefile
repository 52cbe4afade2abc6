.DEFAULT_GOAL := help
.PHONY: help cluster cluster-down crds

help: ## list the targets
	@awk -F':.*## ' '/^[a-z][a-z-]*:.*## / {printf "%-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

cluster: ## a real Kubernetes cluster with a node, a gateway and Prometheus
	python3 -m devcluster up --profile node

cluster-down: ## take it away again
	python3 -m devcluster down --profile node

crds: ## write the CRDs from the kinds
	.venv/bin/python -m turnout.api.crds crds charts/turnout/charts/turnout-crds/files
