"""Suites of evaluation tasks: what their trials come to."""
