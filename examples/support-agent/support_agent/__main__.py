"""`python -m support_agent`: serve the mounted version until told to stop."""

import signal
import sys
from importlib import import_module


def main() -> None:
    """Start, stoppable from the first moment.

    A process with id 1 ignores SIGTERM until it says otherwise, and the imports take a second.
    """
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    import_module("support_agent.program").main()


if __name__ == "__main__":
    main()
