"""Evaluations: results of others' tools, graders, and a runner of our own."""
