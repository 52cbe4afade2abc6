"""Why the demo ends before its end."""


class DemoError(Exception):
    """The stage could not be set, or a part of it broke; the message says which."""


class UnmetError(Exception):
    """What the story needs did not happen in time; the check that says so has been written."""
