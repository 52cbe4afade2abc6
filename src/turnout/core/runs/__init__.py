"""Runs of suites: what becomes of an EvalSuite and of an EvalRun."""
