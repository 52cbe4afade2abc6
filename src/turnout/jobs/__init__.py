"""The program of a Job: asks one outside system one question and reports the answer.

It runs in the namespace of the object that names the system, with that namespace's Secret and no
rights in the cluster. What it reports is foreign text to whoever reads it.
"""
