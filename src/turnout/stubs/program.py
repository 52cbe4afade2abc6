"""What a pod's stub server does first: write the version's content with its tools led here."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from turnout.api.tools import ToolRegistrySpec
from turnout.core.stubbing import TOOLS_FILE
from turnout.core.views import view
from turnout.stubs.answers import Stubs, stubs_of
from turnout.stubs.records import Records


def prepared(
    content: Path, seen: Path, port: int, write: Callable[[str], object]
) -> tuple[Stubs, Records]:
    """Write the content as the agent beside is to see it.

    Args:
        content: Folder with the version's files.
        seen: Folder that the agent has in its place.
        port: Where this server will listen.
        write: Takes lines for the log.

    Raises:
        Invalid: A tool cannot be stubbed as it is declared.
    """
    spec = ToolRegistrySpec.model_validate_json((content / TOOLS_FILE).read_text(encoding="utf-8"))
    found = view(spec, f"http://127.0.0.1:{port}")
    stubs = stubs_of(found.stubbed)
    for one in found.absent:
        write(json.dumps({"event": "absent", "tool": one.tool, "why": one.why}) + "\n")
    for file in content.iterdir():
        if file.is_file():
            (seen / file.name).write_bytes(file.read_bytes())
    led = json.dumps(found.tools.to_wire(), sort_keys=True)
    (seen / TOOLS_FILE).write_text(led, encoding="utf-8")
    return stubs, Records(write)
