"""Turnout: rollouts of AI agents on Kubernetes."""
