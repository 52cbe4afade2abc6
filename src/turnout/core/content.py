"""From an Agent's references to the bytes that its pods get: one content, one digest.

What cannot be read is never a change: the answer is then ``Unresolved`` and the running version
stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import rfc8785

from turnout.api.agent import Agent, SourceStatus
from turnout.api.base import PinnedRef, VersionRef
from turnout.api.digest import SCHEME, Digests, digest_of, spec_digest
from turnout.api.policy import AgentPolicy
from turnout.api.prompt import Prompt
from turnout.api.tools import ToolRegistry
from turnout.api.version import Plane, VersionSource
from turnout.core.checks import cross_problem, policy_problem, registry_problem
from turnout.core.jsontext import check
from turnout.core.reasons import Reason
from turnout.core.templates import problem_of
from turnout.core.world import Stored, Unread, World

LIMIT_BYTES = 900 * 1024
"""Largest content of one version: a ConfigMap holds 1 MiB, and names and metadata take some."""

Shared = Prompt | ToolRegistry | AgentPolicy
_Shared = TypeVar("_Shared", Prompt, ToolRegistry, AgentPolicy)


@dataclass(frozen=True)
class Unresolved:
    """Why there is no content now.

    Attributes:
        reason: ReferenceNotFound, AwaitingContent, InvalidTemplate, CrossCheckFailed, InvalidSpec,
            ContentTooLarge or ResolveError.
        message: What is missing or wrong, by kind and name, and the mend.
        condition: Which condition shows it.
    """

    reason: Reason
    message: str
    condition: str = "ResolvedRefs"


@dataclass(frozen=True)
class Content:
    """All that makes one version.

    Attributes:
        digests: Digest of the whole and of each plane.
        template: The pod template as a person wrote it.
    """

    agent: Agent
    digests: Digests
    template: Mapping[str, Any]
    prompts: tuple[Prompt, ...]
    registry: ToolRegistry | None
    policy: AgentPolicy | None

    @property
    def digest(self) -> str:
        """Digest of the whole content."""
        return self.digests.whole

    @property
    def shared(self) -> tuple[Shared, ...]:
        """The objects that were read, prompts in the Agent's order."""
        others = (one for one in (self.registry, self.policy) if one is not None)
        return (*self.prompts, *others)

    def files(self, version: VersionRef) -> dict[str, str]:
        """Write the files of this content under a version's name."""
        files = {
            f"prompt.{one.metadata.name}.txt": one.spec.text
            for one in self.prompts
            if one.spec.text is not None
        }
        if self.registry is not None:
            files["tools.json"] = _canonical(self.registry.spec.to_wire())
        if self.policy is not None:
            files["policy.json"] = _canonical(self.policy.spec.delivered())
        files["agent.json"] = _canonical(self._description(version))
        files["template.json"] = json.dumps(self.template, sort_keys=True)
        files["version.json"] = _canonical(self._identity())
        return files

    def _identity(self) -> dict[str, Any]:
        """Say what the operator needs to prove and render this content again."""
        planes = {plane.value: digest for plane, digest in self.digests.planes.items()}
        identity = {"scheme": SCHEME, "digest": self.digest, "planes": planes}
        container = self.agent.spec.container
        return identity if container is None else identity | {"container": container}

    def stored(self, version: VersionRef) -> Stored:
        """Give this content as it will be read back from the version's ConfigMap."""
        files = self.files(version)
        return Stored(
            template=self.template,
            files=tuple(files),
            container=self.agent.spec.container,
            digest=self.digest,
            planes=self.digests.planes,
            size=sum(len(text.encode()) for text in files.values()),
        )

    def _description(self, version: VersionRef) -> dict[str, Any]:
        model = self.agent.spec.model
        described: dict[str, Any] = {
            "agent": self.agent.metadata.name,
            "namespace": self.agent.metadata.namespace,
            "version": version.version,
            "digest": version.digest,
            "prompts": [
                {
                    "name": one.metadata.name,
                    "role": one.spec.role.value,
                    "format": one.spec.format.value,
                    "file": f"prompt.{one.metadata.name}.txt",
                    "variables": [variable.to_wire() for variable in one.spec.variables],
                }
                for one in self.prompts
            ],
        }
        if model is not None:
            described["model"] = model.to_wire()
        if self.registry is not None:
            described["tools"] = "tools.json"
        if self.policy is not None:
            described["policy"] = "policy.json"
        return described

    def version_sources(self) -> tuple[VersionSource, ...]:
        """List what was read, for the AgentVersion."""
        planes = {Prompt: Plane.PROMPT, ToolRegistry: Plane.TOOLS, AgentPolicy: Plane.POLICY}
        return tuple(
            VersionSource(
                plane=planes[type(one)],
                kind=one.kind,
                name=one.metadata.name,
                uid=one.metadata.uid,
                generation=one.metadata.generation,
            )
            for one in self.shared
        )

    def sources(self) -> tuple[SourceStatus, ...]:
        """List what was read, for the Agent's status."""
        return tuple(
            SourceStatus(
                kind=one.kind,
                name=one.metadata.name,
                uid=one.metadata.uid,
                generation=one.metadata.generation,
                digest=source_digest(one),
            )
            for one in self.shared
        )


def source_digest(source: Shared) -> str:
    """Digest of one shared object's content: what a reference may pin."""
    return spec_digest(source.spec)


def _canonical(value: Any) -> str:
    return rfc8785.dumps(value).decode()


def resolve(world: World) -> Content | Unresolved:
    """Resolve every reference of the Agent, or say which one is in the way."""
    spec = world.agent.spec
    prompts: list[Prompt] = []
    for ref in spec.prompt_refs:
        prompt = _taken("Prompt", ref, world.sources.prompts.get(ref.name))
        if isinstance(prompt, Unresolved):
            return prompt
        problem = problem_of(prompt.spec)
        if problem is not None:
            return Unresolved(Reason.INVALID_TEMPLATE, f"Prompt {ref.name}: {problem}")
        prompts.append(prompt)
    registry = _optional("ToolRegistry", spec.tool_registry_ref, world.sources.registry)
    if isinstance(registry, Unresolved):
        return registry
    policy = _optional("AgentPolicy", spec.policy_ref, world.sources.policy)
    if isinstance(policy, Unresolved):
        return policy
    wrong = _malformed(world.agent, registry, policy)
    return wrong or _formed(world.agent, tuple(prompts), registry, policy)


def _formed(
    agent: Agent,
    prompts: tuple[Prompt, ...],
    registry: ToolRegistry | None,
    policy: AgentPolicy | None,
) -> Content | Unresolved:
    try:
        digests = digest_of(
            template=agent.spec.template,
            container=agent.spec.container,
            model=agent.spec.model,
            prompts=[one.spec for one in prompts],
            tools=registry.spec if registry else None,
            policy=policy.spec if policy else None,
        )
    except rfc8785.CanonicalizationError as error:
        message = f"the content has no canonical form (RFC 8785): {error}"
        return Unresolved(Reason.INVALID_SPEC, message, "Accepted")
    content = Content(agent, digests, agent.spec.template, prompts, registry, policy)
    sample = VersionRef(version=agent.metadata.name, digest=digests.whole)
    size = content.stored(sample).size
    if size > LIMIT_BYTES:
        message = f"the content is {size} bytes, at most {LIMIT_BYTES} fit one version"
        return Unresolved(Reason.CONTENT_TOO_LARGE, message, "Accepted")
    return content


def unread(which: str, found: Unread) -> Unresolved:
    """Say that something the Agent refers to cannot be read."""
    condition = "Accepted" if found.reason is Reason.INVALID_SPEC else "ResolvedRefs"
    return Unresolved(found.reason, f"{which}: {found.message}", condition)


def _taken(kind: str, ref: PinnedRef, found: _Shared | Unread | None) -> _Shared | Unresolved:
    if found is None:
        message = f"{kind} {ref.name} does not exist in this namespace"
        return Unresolved(Reason.REFERENCE_NOT_FOUND, message)
    if isinstance(found, Unread):
        return unread(f"{kind} {ref.name}", found)
    if ref.digest and source_digest(found) != ref.digest:
        message = (
            f"{kind} {ref.name} has digest {source_digest(found)}, the reference pins {ref.digest}"
        )
        return Unresolved(Reason.AWAITING_CONTENT, message)
    return found


def _optional(
    kind: str, ref: PinnedRef | None, found: _Shared | Unread | None
) -> _Shared | Unresolved | None:
    return None if ref is None else _taken(kind, ref, found)


def _malformed(
    agent: Agent, registry: ToolRegistry | None, policy: AgentPolicy | None
) -> Unresolved | None:
    """Find what a schema cannot refuse: languages inside strings, names that lead nowhere."""
    spec = agent.spec
    problems = [_containers(agent)]
    if spec.model is not None and spec.model.extra is not None:
        problems.append(check("spec.model.extra", spec.model.extra))
    if registry is not None:
        problems.append(_said("ToolRegistry", registry, registry_problem(registry)))
    if policy is not None:
        problems.append(_said("AgentPolicy", policy, policy_problem(policy)))
    problem = next((one for one in problems if one), None)
    if problem is not None:
        return Unresolved(Reason.INVALID_SPEC, problem, "Accepted")
    contradiction = cross_problem(agent, registry, policy)
    return Unresolved(Reason.CROSS_CHECK_FAILED, contradiction) if contradiction else None


def _said(kind: str, source: Shared, problem: str | None) -> str | None:
    return f"{kind} {source.metadata.name}: {problem}" if problem else None


def _containers(agent: Agent) -> str | None:
    spec = agent.spec.template.get("spec") or {}
    names = [one.get("name") for one in spec.get("containers") or ()]
    if not names:
        return "spec.template.spec.containers is empty: an agent needs a container"
    if agent.spec.container is not None and agent.spec.container not in names:
        return f"spec.container {agent.spec.container} is not among the template's containers"
    return None
