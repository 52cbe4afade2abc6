"""Objects that were given together: what the operator says of each Agent and Prompt among them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeVar

from turnout.api.agent import Agent
from turnout.api.base import LocalRef, PinnedRef, Resource
from turnout.api.metric import MetricTemplate
from turnout.api.policy import AgentPolicy
from turnout.api.prompt import ConfigMapKeyRef, Prompt
from turnout.api.strategy import RolloutStrategy
from turnout.api.tools import ToolRegistry
from turnout.cli.lint.manifests import Manifest
from turnout.cli.lint.objectives import objective_problems
from turnout.cli.lint.objects import Checked, prompt_problems
from turnout.cli.lint.problems import Path, Problem
from turnout.core.content import Unresolved, resolve
from turnout.core.intake import take_in
from turnout.core.objectives import gate_of
from turnout.core.prompt_pins import completed_outside
from turnout.core.reasons import Reason
from turnout.core.texts import completed, text_in
from turnout.core.world import Sources, Unread, World

_Known = TypeVar("_Known", bound=Resource)
_Key = tuple[str, str, str]

_NO_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HOME: Final = "default"
"""Namespace of what names none."""

_NOT_HERE: Final = {Reason.REFERENCE_NOT_FOUND, Reason.RESOLVE_ERROR}
"""What is not given, or is told already, is no problem of the Agent that names it."""

_FIELDS: Final[Mapping[Reason, str]] = {
    Reason.CROSS_CHECK_FAILED: "policyRef",
    Reason.CONTENT_TOO_LARGE: "promptRefs",
    Reason.UNSUPPORTED_WEIGHT: "traffic",
}
_REFERENCES: Final[Mapping[str, str]] = {
    "Prompt": "promptRefs",
    "ToolRegistry": "toolRegistryRef",
    "AgentPolicy": "policyRef",
}
_NAMED: Final = re.compile(r"spec\.(\w+)")


@dataclass(frozen=True, slots=True, order=True)
class Missing:
    """A reference to an object that was not given: in the cluster it may well be."""

    kind: str
    name: str
    by: str


class Together:
    """All objects that were given; of those with problems of their own nothing more is said.

    Attributes:
        missing: What was referred to and is not among them.
    """

    def __init__(self, checked: Iterable[Checked], config_maps: Iterable[Manifest]) -> None:
        self._config_maps = {_key_of(one): one for one in config_maps}
        self._objects = {_key_of(one.manifest): one for one in checked}
        self.missing: set[Missing] = set()

    def problems(self, one: Checked) -> Iterator[Problem]:
        """Say what is wrong with an object beside the others."""
        match one.resource:
            case Agent() as agent:
                yield from self._agent_problems(agent)
            case Prompt() as prompt if prompt.spec.config_map_key_ref is not None:
                yield from self._text_problems(prompt, prompt.spec.config_map_key_ref)
            case _:
                return

    def _text_problems(self, prompt: Prompt, ref: ConfigMapKeyRef) -> Iterator[Problem]:
        path: Path = ("spec", "configMapKeyRef")
        found = self._completed(prompt, ref)
        if isinstance(found, Prompt):
            yield from prompt_problems(found, path)
        elif found is not None:
            yield Problem(path, found.reason, found.message)

    def _completed(self, prompt: Prompt, ref: ConfigMapKeyRef) -> Prompt | Unread | None:
        """Put a Prompt's text in its place; None where its ConfigMap was not given."""
        given = self._config_maps.get(("ConfigMap", prompt.metadata.namespace, ref.name))
        if given is None:
            self._miss("ConfigMap", ref.name, prompt)
            return None
        return completed(prompt, text_in(ref, given.content))

    def _agent_problems(self, agent: Agent) -> Iterator[Problem]:
        sources = self._sources(agent)
        world = World(now=_NO_TIME, agent=agent, sources=sources)
        found = (resolve(world), take_in(world))
        told = dict.fromkeys(one for one in found if isinstance(one, Unresolved))
        for one in told:
            if one.reason not in _NOT_HERE:
                yield Problem(_field(one), one.reason, one.message)
        yield from objective_problems(agent, gate_of(world), sources.templates)

    def _sources(self, agent: Agent) -> Sources:
        spec = agent.spec
        strategy = self._named(RolloutStrategy, spec.strategy_ref, agent)
        gate = strategy.spec.gate if isinstance(strategy, RolloutStrategy) else spec.gate
        metrics = gate.metrics if gate is not None else ()
        named = [one.template_ref.name for one in metrics if one.template_ref is not None]
        named += [one.metric for one in spec.objectives]
        templates = {
            name: self._named(MetricTemplate, LocalRef(name=name), agent) for name in named
        }
        prompts = {one.name: self._prompt(one, agent) for one in spec.prompt_refs}
        return Sources(
            prompts={name: found for name, found in prompts.items() if found is not None},
            registry=self._named(ToolRegistry, spec.tool_registry_ref, agent),
            policy=self._named(AgentPolicy, spec.policy_ref, agent),
            strategy=strategy,
            templates={name: found for name, found in templates.items() if found is not None},
        )

    def _prompt(self, ref: PinnedRef, agent: Agent) -> Prompt | Unread | None:
        found = self._named(Prompt, ref, agent)
        if not isinstance(found, Prompt):
            return found
        if found.spec.config_map_key_ref is None:
            return completed_outside(found, None)
        return self._completed(found, found.spec.config_map_key_ref)

    def _named(
        self, kind: type[_Known], ref: LocalRef | PinnedRef | None, agent: Agent
    ) -> _Known | Unread | None:
        if ref is None:
            return None
        found = self._objects.get((kind.__name__, agent.metadata.namespace, ref.name))
        if found is None:
            self._miss(kind.__name__, ref.name, agent)
            return None
        if found.sound and isinstance(found.resource, kind):
            return found.resource
        return Unread("it has problems of its own")

    def _miss(self, kind: str, name: str, by: Resource) -> None:
        self.missing.add(Missing(kind, name, f"{type(by).__name__} {by.metadata.name}"))


def _key_of(manifest: Manifest) -> _Key:
    names = (manifest.named("namespace") or _HOME, manifest.named("name"))
    return (manifest.named("kind"), *names)


def _field(one: Unresolved) -> Path:
    """Find the field of an Agent that a problem is about."""
    about = _FIELDS.get(one.reason) or _REFERENCES.get(one.message.partition(" ")[0])
    named = _NAMED.match(one.message)
    return ("spec", about or (named.group(1) if named else "template"))
