"""A small support agent over HTTP, as one who uses Turnout might write it.

It reads its prompts, tools and policy from the files that the operator mounts, works on a task in
several steps, checks its own answer against the shop's records and counts how it went.
"""
