"""``python -m turnout``: run the operator."""

import os
import sys

from turnout.errors import Invalid
from turnout.runtime.app import main as run
from turnout.settings import Settings


def main() -> int:
    """Read the settings and run; a setting that cannot be used ends it with one sentence."""
    try:
        return run(Settings.load(sys.argv[1:], os.environ))
    except Invalid as error:
        sys.stderr.write(f"turnout: {error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
