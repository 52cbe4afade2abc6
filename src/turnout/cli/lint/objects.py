"""One object by itself: its schema and rules, then what no schema can say of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from turnout.api.base import API_VERSION, GROUP, Resource
from turnout.api.policy import AgentPolicy
from turnout.api.prompt import Prompt
from turnout.api.tools import ToolRegistry
from turnout.cli.lint.manifests import Manifest
from turnout.cli.lint.problems import Path, Problem
from turnout.cli.lint.rules import rule_problems
from turnout.cli.lint.schema import OURS, defaulted, schema_of, schema_problems
from turnout.core.checks import (
    address_problem,
    policy_problem,
    policy_remark,
    server_problem,
    tool_problem,
)
from turnout.core.prompt_pins import outside
from turnout.core.quoting import quoted
from turnout.core.reasons import Reason
from turnout.core.templates import problem_of, warning_of


@dataclass(frozen=True)
class Checked:
    """A document of our group that was looked at.

    Attributes:
        resource: What it holds; None where it cannot be taken.
        problems: What is wrong with it.
    """

    manifest: Manifest
    resource: Resource | None
    problems: tuple[Problem, ...]

    @property
    def sound(self) -> bool:
        """Claim that other objects can be checked against this one."""
        return self.resource is not None and all(one.warning for one in self.problems)


def is_ours(manifest: Manifest) -> bool:
    """Tell whether a document is of our group, in whatever version."""
    return manifest.named("apiVersion").partition("/")[0] == GROUP


def checked(manifest: Manifest) -> Checked:
    """Look at one document of our group."""
    version, name = manifest.named("apiVersion"), manifest.named("kind")
    kind = OURS.get(name)
    if version != API_VERSION or kind is None:
        said = f"{GROUP} has no {quoted(name) or 'kind'} in {quoted(version)}"
        mend = f"apiVersion is {API_VERSION}, kind one of {', '.join(OURS)}"
        return Checked(manifest, None, (Problem(("kind",), "UnknownKind", said, mend),))
    schema = schema_of(kind)
    document = defaulted(schema, manifest.content)
    problems = [*manifest.problems, *schema_problems(kind, document)]
    wrong = [one.path for one in problems if one.reason != "UnknownField"]
    problems += rule_problems(schema, document, wrong)
    if problems:
        return Checked(manifest, None, tuple(problems))
    resource = _taken(kind.model, document)
    if isinstance(resource, Problem):
        return Checked(manifest, None, (resource,))
    return Checked(manifest, resource, tuple(_own_problems(resource)))


def _taken(model: type[Resource], content: Mapping[str, Any]) -> Resource | Problem:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        return Problem(tuple(first["loc"]), "InvalidValue", first["msg"])


def _own_problems(resource: Resource) -> Iterator[Problem]:
    find = _CHECKS.get(type(resource))
    if find is not None:
        yield from find(resource)


def prompt_problems(prompt: Prompt, path: Path = ("spec", "text")) -> Iterator[Problem]:
    """Say why a text cannot be a template, and where it and its variables differ."""
    source = outside(prompt.spec)
    wrong = None if source is None else address_problem(source.endpoint)
    if wrong is not None:
        field = "langfuse" if prompt.spec.langfuse is not None else "mlflow"
        yield Problem(("spec", field, "endpoint"), Reason.INVALID_SPEC, wrong)
    if prompt.spec.text is None:
        return
    said, surprise = problem_of(prompt.spec), warning_of(prompt.spec)
    if said:
        yield Problem(path, Reason.INVALID_TEMPLATE, said)
    if surprise:
        yield Problem(("spec", "variables"), "Variables", surprise, warning=True)


def _registry_problems(registry: ToolRegistry) -> Iterator[Problem]:
    spec = registry.spec
    for at, server in enumerate(spec.servers):
        said = server_problem(server)
        if said:
            yield Problem(("spec", "servers", at, "url"), Reason.INVALID_SPEC, said)
    servers = {server.name: server.type for server in spec.servers}
    for at, tool in enumerate(spec.tools):
        said = tool_problem(tool, servers)
        if said:
            yield Problem(("spec", "tools", at), Reason.INVALID_SPEC, said)


def _policy_problems(policy: AgentPolicy) -> Iterator[Problem]:
    for at, rule in enumerate(policy.spec.rules):
        one = policy.spec.model_copy(update={"rules": (rule,)})
        said = policy_problem(policy.model_copy(update={"spec": one}))
        if said:
            yield Problem(("spec", "rules", at, "expression"), Reason.INVALID_SPEC, said)
    remark = policy_remark(policy)
    if remark:
        yield Problem(("spec", "tools"), "DenyWins", remark, warning=True)


_Check = Callable[[Any], Iterator[Problem]]
_CHECKS: Final[Mapping[type[Resource], _Check]] = {
    Prompt: prompt_problems,
    ToolRegistry: _registry_problems,
    AgentPolicy: _policy_problems,
}
