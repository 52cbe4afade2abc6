"""A stand-in for a model and for a shop's systems, so that the example runs without either.

Not a language model: it finds rules in the text of the prompt by a documented grammar
(`rules.py`) and follows them, so that a prompt that leaves a rule out really gets worse work.
The operator never talks to it.
"""
