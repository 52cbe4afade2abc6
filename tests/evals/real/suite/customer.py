"""What all suites share: the tasks, and one question to the agent by the standard library."""

import json
import os
import urllib.request
from pathlib import Path
from typing import Any

TASKS: list[dict[str, str]] = json.loads(Path(__file__).with_name("tasks.json").read_text())


def ask(text: str) -> str:
    """Ask the agent; raises where it does not answer."""
    body: dict[str, Any] = {"model": "support", "messages": [{"role": "user", "content": text}]}
    request = urllib.request.Request(
        f"{os.environ['AGENT_URL']}/v1/chat/completions", json.dumps(body).encode()
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(json.load(answer)["choices"][0]["message"]["content"])
