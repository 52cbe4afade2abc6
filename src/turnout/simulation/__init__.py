"""Rollouts in memory, in simulated time: the production decision over worlds that are made up.

Pure as the core is: no I/O, no clock, and chance only from a generator with a seed.
"""
