"""`turnout history`: what went out, and what became of it."""

import sys
from datetime import UTC, datetime

from turnout.adapters.access import Access
from turnout.adapters.person import sign_in
from turnout.cli.agents import read_record
from turnout.cli.exits import Exit
from turnout.cli.options import Form
from turnout.cli.past import past_document, past_lines
from turnout.cli.screen import marks_of, tell


async def history(access: Access, agent: str, form: Form) -> Exit:
    """Show an agent's rollouts, newest first."""
    async with sign_in(access) as cluster:
        record = await read_record(cluster, agent)
    now = datetime.now(UTC)
    lines = past_lines(record, now, marks_of(sys.stdout))
    tell(form, "History", past_document(record, now), lines)
    return Exit.DONE
