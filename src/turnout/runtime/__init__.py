"""The shell: the only layer with an event loop and a clock."""
