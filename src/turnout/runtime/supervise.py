"""Supervision of the reader: it is started again after any death, and swept after each."""
