"""Input that admission lets pass and that cannot be used: a condition names the field and the mend.

What admission refuses is in tests/api/admission_rows.py, row by row against a real API server;
docs/bad-input.md says of every row where it is proved.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from tests.operator.team import NAME, PROMPTS, Team
from tests.support.api import Document
from tests.support.kubectl import eventually
from tests.support.manifests import agent, kind, metric, prompt, strategy

pytestmark = pytest.mark.light

CONTAINER: Final[Document] = agent()["spec"]["template"]["spec"]["containers"][0]
TOOLS: Final = {"toolRegistryRef": {"name": "tools"}}
POLICY: Final = {"policyRef": {"name": "policy"}}
DEEP: Final = '{"a":' * 900 + "1" + "}" * 900


def _template(**container: Any) -> Document:
    return {"spec": {"containers": [CONTAINER | container]}}


def _model(extra: str) -> Document:
    return {"model": {"provider": "openai", "name": "m", "extra": extra}}


def _tools(url: str = "https://crm.example.com", **tool: Any) -> Document:
    servers = [{"name": "crm", "type": "MCP", "url": url}]
    whole = {"name": "refund", "sideEffect": "Read", "inputSchema": '{"type":"object"}'} | tool
    return kind("ToolRegistry", "tools", {"servers": servers, "tools": [whole]})


def _policy(**spec: Any) -> Document:
    return kind("AgentPolicy", "policy", {"mode": "Enforce"} | spec)


@dataclass(frozen=True)
class Row:
    """One bad input.

    Attributes:
        spec: What of the Agent's spec is bad, or leads to what is.
        others: Objects that are applied besides.
        words: What the answer must say.
    """

    condition: str
    reason: str
    words: tuple[str, ...]
    spec: Document = field(default_factory=dict)
    others: tuple[Document, ...] = (prompt(), metric())


def _with(*others: Document) -> tuple[Document, ...]:
    return prompt(), metric(), *others


def _tools_say(*words: str, **changes: Any) -> Row:
    words = ("ToolRegistry tools", *words)
    return Row("Accepted", "InvalidSpec", words, TOOLS, _with(_tools(**changes)))


def _contradicting(*words: str, **policy: Any) -> Row:
    words, spec = ("AgentPolicy policy", *words), TOOLS | POLICY | _model("{}")
    return Row("ResolvedRefs", "CrossCheckFailed", words, spec, _with(_tools(), _policy(**policy)))


ROWS: Final = {
    "a prompt that is not there": Row(
        "ResolvedRefs", "ReferenceNotFound", ("support-system",), others=(metric(),)
    ),
    "a registry that is not there": Row(
        "ResolvedRefs", "ReferenceNotFound", ("ToolRegistry tools",), TOOLS
    ),
    "a policy that is not there": Row(
        "ResolvedRefs", "ReferenceNotFound", ("AgentPolicy policy",), POLICY
    ),
    "a metric template that is not there": Row(
        "ResolvedRefs", "ReferenceNotFound", ("MetricTemplate tasks",), others=(prompt(),)
    ),
    "content that is not the pinned one": Row(
        "ResolvedRefs",
        "AwaitingContent",
        ("support-system", "sha256:000"),
        {"promptRefs": [{"name": "support-system", "digest": "sha256:" + "0" * 64}]},
    ),
    "a version that is not there": Row(
        "ResolvedRefs", "ReferenceNotFound", ("spec.pinnedVersion",), {"pinnedVersion": "support-1"}
    ),
    "an image without a digest": Row(
        "ContentPinned",
        "MutableImage",
        ("x:latest", "digest"),
        {"template": _template(image="x:latest")},
    ),
    "a weight that pods alone cannot give": Row(
        "Accepted",
        "UnsupportedWeight",
        ("setWeight 75", "up to 50"),
        {
            "traffic": {"mode": "ReplicaRatio", "service": {"port": 8080}},
            "strategy": strategy([{"setWeight": 75}]),
        },
    ),
    "model settings that are no JSON": Row(
        "Accepted", "InvalidSpec", ("spec.model.extra is not JSON",), _model("{seed: 7")
    ),
    "model settings that are nested without end": Row(
        "Accepted", "InvalidSpec", ("spec.model.extra nests 900 deep, at most 32",), _model(DEEP)
    ),
    "an input schema that is no JSON": _tools_say(
        "refund", "inputSchema is not JSON", inputSchema='{"a"'
    ),
    "an input schema that is no schema": _tools_say(
        "refund", "at /type", inputSchema='{"type": 7}'
    ),
    "a server that the registry lacks": _tools_say(
        "refund", "server mail", "spec.servers", server="mail"
    ),
    "a server that is a private address": _tools_say(
        "http://10.0.0.7:80/mcp", "name the host", url="http://10.0.0.7:80/mcp"
    ),
    "a policy that denies every tool there is": _contradicting(
        "ToolRegistry tools", "spec.tools", tools={"deny": ["*"]}
    ),
    "a model that the policy forbids": _contradicting(
        "model m", "spec.models.allow", models={"allow": ["gpt-*"]}
    ),
    "a rule that does not compile": Row(
        "Accepted",
        "InvalidSpec",
        ("AgentPolicy policy", "spec.rules[small].expression", "line 1, column 4"),
        POLICY,
        _with(_policy(rules=[{"name": "small", "expression": "1 +"}])),
    ),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_what_cannot_be_used_is_named_with_its_mend(team: Team, row: Row) -> None:
    team.ada.apply(*row.others, agent(**row.spec))

    def told() -> bool:
        """Look for the words too: the Agent may be seen before what was applied with it."""
        found = team.condition(row.condition)
        said = (found.get("status"), found.get("reason")) == ("False", row.reason)
        return said and all(word in found["message"] for word in row.words)

    assert eventually(f"{row.condition} is False for {row.reason} and says {row.words}", told)


TWICE: Final = [{"containerPort": port, "name": "http"} for port in (8080, 8081)]


@pytest.mark.parametrize(
    ("container", "words"),
    [
        ({"volumeMounts": [{"name": "nowhere", "mountPath": "/x"}]}, "volumeMounts[0].name"),
        ({"ports": TWICE}, "ports[1].name"),
        ({"image": " x"}, "containers[0].image"),
    ],
    ids=["a volume that is not there", "two ports of one name", "an image with a blank"],
)
def test_a_pod_that_kubernetes_refuses_is_told_in_its_words(
    team: Team, container: Document, words: str
) -> None:
    team.ada.apply(prompt(), metric(), agent(template=_template(**container)))

    def told() -> bool:
        conditions = team.agent().get("conditions") or ()
        return any(words in str(one.get("message")) for one in conditions)

    assert eventually("a condition quotes the API server", told)


TEXTS: Final = ("{{…}} {{name}}", "{0.__class__} ${X} $(id)", "\u202e\u200b\ufeff ☃", "</p>\r\n\t")


@pytest.mark.parametrize("text", TEXTS)
def test_a_plain_text_reaches_the_pods_byte_by_byte(team: Team, text: str) -> None:
    team.ada.apply(prompt(text), metric(), agent())
    stable = team.await_phase("Healthy")["stable"]["version"]
    stored = team.admin.get("configmaps", stable)
    assert stored is not None
    assert stored["data"]["prompt.support-system.txt"] == text


def _told_of(team: Team, resource: str, name: str) -> Document:
    """Wait for what is said of an object that an Agent refers to: not always before the Agent's."""
    return eventually("it is told", lambda: team.condition("Accepted", resource, name))


def test_variables_that_are_not_declared_are_a_warning_and_go_out(team: Team) -> None:
    odd = prompt("Hello {{name}}.")
    odd["spec"] |= {"format": "Mustache", "variables": [{"name": "other"}]}
    team.ada.apply(odd, metric(), agent())
    team.await_phase("Healthy")
    accepted = _told_of(team, PROMPTS, "support-system")
    assert accepted["status"] == "True"
    assert accepted["message"] == (
        "not declared as variables: name; declared, but not in the text: other"
    )


def test_a_rule_that_would_cost_without_end_is_delivered_and_never_run(team: Team) -> None:
    many = str(list(range(9)))
    bomb = "true"
    for level in range(9):
        bomb = f"{many}.all(x{level}, {bomb})"
    rules = [{"name": "bomb", "expression": bomb}]
    team.ada.apply(*_with(_policy(rules=rules)), agent(**POLICY))
    team.await_phase("Healthy")
    assert _told_of(team, "agentpolicies.turnout.dev", "policy")["status"] == "True"


GARBAGE: Final = "\u202e{{x}} ${Y}\n" * 3000


def _foreign(**more: Any) -> Document:
    """Write a ConfigMap that nobody asked for, with our marks on it."""
    labels = {"turnout.dev/agent": NAME, "turnout.dev/version": "a-b-c", "turnout.dev/x": ""}
    annotations = {"turnout.dev/digest": GARBAGE, "turnout.dev/agent-uid": ""}
    metadata = {"name": f"{NAME}-0123456789", "labels": labels, "annotations": annotations}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata} | more


def test_marks_of_ours_with_garbage_in_them_are_ignored(team: Team) -> None:
    data = {"version.json": GARBAGE, "template.json": DEEP}
    pod_spec = {"containers": [{"name": "x", "image": "x"}], "nodeName": "kwok-0"}
    pod = {"kind": "Pod", "spec": pod_spec}
    marked = agent()
    marked["metadata"] |= {
        "labels": {"turnout.dev/agent": "other", "turnout.dev/mode": ""},
        "annotations": {"turnout.dev/stable-digest": GARBAGE, "turnout.dev/digest": "sha256:x"},
    }
    team.admin.apply(_foreign(data=data), _foreign(**pod))
    team.ada.apply(prompt(), metric(), marked)
    status = team.await_phase("Healthy")
    whole = {status["stable"]["version"]: 100}
    team.await_weights(whole)
    kept = team.admin.get("configmaps", f"{NAME}-0123456789")
    assert kept is not None
    assert kept["data"] == data
