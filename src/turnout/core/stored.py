"""A version's content read back from its ConfigMap, and proved to be what its digest says.

The ConfigMap outlives statuses, records and the CRDs themselves: from it a lost Deployment or
index entry is made again, byte for byte as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from turnout.api.agent import Model
from turnout.api.digest import SCHEME, Digests, digest_of
from turnout.api.policy import AgentPolicySpec
from turnout.api.prompt import PromptSpec
from turnout.api.tools import ToolRegistrySpec
from turnout.core.jsontext import parse
from turnout.core.world import Stored, Unread


@dataclass(frozen=True)
class Parts:
    """A version's content as it is hashed, one field a plane or more.

    Attributes:
        template: The pod template as a person wrote it.
        container: Container that gets the content; None for the first one.
        prompts: Prompts by name, in the order in which the agent is given them.
    """

    template: Mapping[str, Any]
    container: str | None
    prompts: Mapping[str, PromptSpec]
    tools: ToolRegistrySpec | None
    policy: AgentPolicySpec | None
    model: Model | None

    def digests(self) -> Digests:
        """Compute the digests anew."""
        return digest_of(
            template=self.template,
            container=self.container,
            model=self.model,
            prompts=tuple(self.prompts.values()),
            tools=self.tools,
            policy=self.policy,
        )


def read_stored(data: Mapping[str, str]) -> Stored | Unread:
    """Read the data of a version's ConfigMap for the operator: what makes its pods again."""
    found = read_parts(data)
    if isinstance(found, Unread):
        return found
    parts, digests = found
    size = sum(len(text.encode()) for text in data.values())
    return Stored(parts.template, tuple(data), parts.container, digests.whole, digests.planes, size)


def read_parts(data: Mapping[str, str]) -> tuple[Parts, Digests] | Unread:
    """Read the data of a version's ConfigMap, and prove it.

    The digest is computed again from the files; where it is not the one that the ConfigMap names,
    or cannot be computed, the content is ``Unread``: nothing is ever made from it.
    """
    try:
        return _proved(data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return Unread(f"the stored content is damaged ({type(error).__name__})")


def model_in(data: Mapping[str, str], digest: str) -> Model | Unread | None:
    """Read the model of a version from its ConfigMap; Unread where that does not hold it."""
    found = read_parts(data)
    if isinstance(found, Unread):
        return found
    parts, digests = found
    return parts.model if digests.whole == digest else Unread("the content is another one")


def _proved(data: Mapping[str, str]) -> tuple[Parts, Digests] | Unread:
    note = parse("version.json", data["version.json"])
    if note["scheme"] != SCHEME:
        return Unread(f"digest scheme {note['scheme']} is not one that this operator knows")
    parts = _parts(data, note.get("container"))
    digests = parts.digests()
    if digests.whole != note["digest"]:
        return Unread("the stored content does not have the digest that it names")
    return parts, digests


def _parts(data: Mapping[str, str], container: str | None) -> Parts:
    agent = parse("agent.json", data["agent.json"])
    tools, policy = data.get("tools.json"), data.get("policy.json")
    return Parts(
        template=parse("template.json", data["template.json"]),
        container=container,
        prompts={
            one["name"]: PromptSpec.model_validate(one | {"text": data[one["file"]]})
            for one in agent["prompts"]
        },
        tools=ToolRegistrySpec.model_validate(parse("tools.json", tools)) if tools else None,
        policy=AgentPolicySpec.model_validate(parse("policy.json", policy)) if policy else None,
        model=Model.model_validate(agent["model"]) if "model" in agent else None,
    )
