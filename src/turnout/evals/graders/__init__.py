"""Graders: pure functions from an answer to whether it is right, and why not."""
