"""What runs in a Job's pod, where the servers are on loopback: all else is the real program."""

import asyncio
import os
import sys

from tests.support.home import Home
from turnout.jobs.program import carry_out, read_order

if __name__ == "__main__":
    order = read_order(os.environ)
    sys.exit(asyncio.run(carry_out(order, Home(order.closed))))
