"""`python -m turnout.jobs`: one task, as its environment orders it."""

import asyncio
import os
import sys

from turnout.jobs.program import carry_out, read_order

if __name__ == "__main__":
    sys.exit(asyncio.run(carry_out(read_order(os.environ))))
