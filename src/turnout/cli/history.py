"""`turnout history`: what went out, and what became of it."""

import sys
from datetime import UTC, datetime

from turnout.adapters.access import Access
from turnout.adapters.person import sign_in
from turnout.cli.agents import read_record
from turnout.cli.exits import Exit
from turnout.cli.options import Form
from turnout.cli.past import past_document, past_lines
from turnout.cli.screen import emit, marks_of, screen


async def history(access: Access, agent: str, form: Form) -> Exit:
    """Show an agent's rollouts, newest first."""
    async with sign_in(access) as cluster:
        record = await read_record(cluster, agent)
    now = datetime.now(UTC)
    if form is not Form.TEXT:
        emit(form, "History", past_document(record, now))
        return Exit.DONE
    console = screen()
    for line in past_lines(record, now, marks_of(sys.stdout)):
        console.print(line, soft_wrap=not console.is_terminal)
    return Exit.DONE
