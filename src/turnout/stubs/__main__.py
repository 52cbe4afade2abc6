"""`python -m turnout.stubs`: the stub server of one pod, as its environment orders it."""

import os
import sys
from pathlib import Path

import uvicorn

from turnout.errors import Invalid
from turnout.stubs.program import prepared
from turnout.stubs.server import application


def _write(line: str) -> None:
    """Write a line at once: a process that is ended by a signal leaves what it has not written."""
    sys.stdout.write(line)
    sys.stdout.flush()


if __name__ == "__main__":
    port = int(os.environ["TURNOUT_STUBS_PORT"])
    try:
        stubs, records = prepared(
            content=Path(os.environ["TURNOUT_STUBS_CONTENT"]),
            seen=Path(os.environ["TURNOUT_STUBS_VIEW"]),
            port=port,
            write=_write,
        )
    except Invalid as error:
        sys.exit(str(error))
    # Every address: the kubelet asks at the pod's. Who else may is the network policy's matter.
    uvicorn.run(application(stubs, records), host="", port=port, ws="none", log_level="warning")
