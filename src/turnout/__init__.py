"""Turnout: rollouts of AI agents on Kubernetes."""

__version__ = "0.1.0.dev0"
