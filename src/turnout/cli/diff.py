"""`turnout diff`: what differs between two versions."""

from __future__ import annotations

import sys

from turnout.adapters.access import Access
from turnout.adapters.documents import CONFIG_MAP, Ref
from turnout.adapters.person import PersonCluster, sign_in
from turnout.api.digest import Digests
from turnout.cli.agents import Record, read_record
from turnout.cli.difference import Compared, document_of, lines_of
from turnout.cli.exits import Exit
from turnout.cli.options import Form, View
from turnout.cli.planes import compare
from turnout.cli.screen import emit, marks_of, screen
from turnout.core.stored import Parts, read_parts
from turnout.core.world import Unread
from turnout.errors import Invalid, NotFound


async def diff(access: Access, agent: str, words: tuple[str, ...], form: Form, view: View) -> Exit:
    """Show what differs between two versions of an agent."""
    async with sign_in(access) as cluster:
        record = await read_record(cluster, agent)
        before, after = _chosen(record, words)
        found = Compared(
            before,
            after,
            (record.role(before), record.role(after)),
            compare(
                await _content(cluster, record, before), await _content(cluster, record, after)
            ),
        )
    if form is Form.TEXT:
        console = screen()
        for line in lines_of(found, marks_of(sys.stdout), view, console.width):
            console.print(line, soft_wrap=True)
    else:
        emit(form, "Difference", {"agent": agent, **document_of(found)})
    return Exit.FOUND if found.changed else Exit.DONE


def _chosen(record: Record, words: tuple[str, ...]) -> tuple[str, str]:
    """Choose the two versions: stable with what is tried or wanted, where none is named."""
    if len(words) > 1:
        return record.version(words[0]), record.version(words[1])
    if record.stable is None:
        raise NotFound(f"agent {record.name} has no stable version yet: name two versions")
    if words:
        return record.stable, record.version(words[0])
    return record.stable, record.candidate or record.desired or record.stable


async def _content(cluster: PersonCluster, record: Record, version: str) -> tuple[Parts, Digests]:
    """Read and prove what a version is made of."""
    known = record.versions.get(version)
    name = known.spec.content_ref.name if known is not None else version
    try:
        stored = await cluster.get(Ref(CONFIG_MAP, cluster.namespace, name))
    except NotFound as error:
        message = f"the content of {version} is gone: ConfigMap {name} does not exist"
        raise NotFound(message) from error
    found = read_parts(stored.get("data") or {})
    if isinstance(found, Unread):
        raise Invalid("Damaged", f"{version}: {found.message}")
    return found
