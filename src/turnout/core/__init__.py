"""The pure core: a world in, a decision out. No I/O, no clock, no logging, no randomness."""
