"""How a command ends, for scripts."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes; each command's help lists those it uses."""

    DONE = 0
    FOUND = 1
    FAILED = 2
    ROLLED_BACK = 3
    HELD = 4
    TIMED_OUT = 5
