"""A version's content read back from its ConfigMap, and proved to be what its digest says.

The ConfigMap outlives statuses, records and the CRDs themselves: from it a lost Deployment or
index entry is made again, byte for byte as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from turnout.api.agent import Model
from turnout.api.digest import SCHEME, Digests, digest_of
from turnout.api.policy import AgentPolicySpec
from turnout.api.prompt import PromptSpec
from turnout.api.tools import ToolRegistrySpec
from turnout.core.jsontext import parse
from turnout.core.world import Stored, Unread


def read_stored(data: Mapping[str, str]) -> Stored | Unread:
    """Read the data of a version's ConfigMap.

    The digest is computed again from the files; where it is not the one that the ConfigMap names,
    or cannot be computed, the content is ``Unread``: nothing is ever made from it.
    """
    try:
        return _read(data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return Unread(f"the stored content is damaged ({type(error).__name__})")


def _read(data: Mapping[str, str]) -> Stored | Unread:
    note = parse("version.json", data["version.json"])
    if note["scheme"] != SCHEME:
        return Unread(f"digest scheme {note['scheme']} is not one that this operator knows")
    template = parse("template.json", data["template.json"])
    container = note.get("container")
    digests = _digests(data, template, container)
    if digests.whole != note["digest"]:
        return Unread("the stored content does not have the digest that it names")
    size = sum(len(text.encode()) for text in data.values())
    return Stored(template, tuple(data), container, digests.whole, digests.planes, size)


def _digests(
    data: Mapping[str, str], template: Mapping[str, Any], container: str | None
) -> Digests:
    agent = parse("agent.json", data["agent.json"])
    tools, policy = data.get("tools.json"), data.get("policy.json")
    return digest_of(
        template=template,
        container=container,
        model=Model.model_validate(agent["model"]) if "model" in agent else None,
        prompts=[
            PromptSpec.model_validate(one | {"text": data[one["file"]]}) for one in agent["prompts"]
        ],
        tools=ToolRegistrySpec.model_validate(parse("tools.json", tools)) if tools else None,
        policy=AgentPolicySpec.model_validate(parse("policy.json", policy)) if policy else None,
    )
