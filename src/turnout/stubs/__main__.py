"""`python -m turnout.stubs`: the stub server, as its environment orders it."""

import os
import sys
from pathlib import Path

import uvicorn

from turnout.stubs.answers import read_stubs
from turnout.stubs.records import Records
from turnout.stubs.server import application

if __name__ == "__main__":
    stubs = read_stubs(Path(os.environ["TURNOUT_STUBS_FILE"]).read_text(encoding="utf-8"))
    records = Records(sys.stdout.write)
    uvicorn.run(
        application(stubs, records),
        host=os.environ["TURNOUT_STUBS_HOST"],
        port=int(os.environ["TURNOUT_STUBS_PORT"]),
        ws="none",
        log_level="warning",
    )
