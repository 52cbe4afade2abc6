"""What a pod's stub server does first: lead the version's tools to itself, and say so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from turnout.api.tools import ToolRegistrySpec
from turnout.core.views import view
from turnout.stubs.answers import Stubs, stubs_of
from turnout.stubs.records import Records


def prepared(
    tools: Path, seen: Path, port: int, write: Callable[[str], object]
) -> tuple[Stubs, Records]:
    """Write the tools as the agent beside is to see them.

    Args:
        tools: File with the version's tools.
        seen: File that the agent reads in its place.
        port: Where this server will listen.
        write: Takes lines for the log.

    Raises:
        Invalid: A tool cannot be stubbed as it is declared.
    """
    spec = ToolRegistrySpec.model_validate_json(tools.read_text(encoding="utf-8"))
    found = view(spec, f"http://127.0.0.1:{port}")
    stubs = stubs_of(found.stubbed)
    for one in found.absent:
        write(json.dumps({"event": "absent", "tool": one.tool, "why": one.why}) + "\n")
    seen.write_text(json.dumps(found.tools.to_wire(), sort_keys=True), encoding="utf-8")
    return stubs, Records(write)
