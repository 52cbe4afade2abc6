"""What lint finds in documents that tests write."""

import json
from typing import Any

from tests.support.manifests import kind
from turnout.cli.lint.command import Outcome, look
from turnout.cli.lint.findings import Finding
from turnout.cli.lint.manifests import read_manifests


def looked(*documents: Any) -> Outcome:
    """Look at documents as if they stood in one file."""
    return read("\n---\n".join(map(json.dumps, documents)))


def read(text: str) -> Outcome:
    """Look at a file."""
    return look(list(read_manifests("all.yaml", text)))


def template(text: str, form: str = "Jinja", name: str = "tone") -> dict[str, Any]:
    """Write a Prompt that is a template."""
    return kind("Prompt", name, {"role": "System", "format": form, "text": text})


def errors(outcome: Outcome) -> list[Finding]:
    return [one for one in outcome.findings if not one.problem.warning]


def only_error(outcome: Outcome) -> Finding:
    (one,) = errors(outcome)
    return one
