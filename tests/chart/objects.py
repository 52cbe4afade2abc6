"""Objects of our kinds, as whoever writes them would."""

import json
from dataclasses import dataclass
from typing import Any

API_VERSION = "turnout.dev/v1alpha1"
DIGEST = f"sha256:{'9c41e07b2d' * 6}0000"
VERSION = "support-9c41e07b2d"
GATE = {
    "mode": "Threshold",
    "onInconclusive": "Hold",
    "metrics": [
        {
            "name": "task-success",
            "type": "SuccessRate",
            "templateRef": {"name": "tasks"},
            "minimum": "80%",
            "onRegression": "Rollback",
        }
    ],
}
STRATEGY = {"steps": [{"setWeight": 5}, {"name": "ship", "approve": {}}]}

POLICIES = (
    "turnout-approvals",
    "turnout-operator-kinds",
    "turnout-places",
    "turnout-prompt-secrets",
    "turnout-status",
    "turnout-tool-secrets",
)

Json = dict[str, Any]


@dataclass(frozen=True)
class Rollout:
    """A rollout of the agent support, and the words by which kubectl finds and patches it."""

    namespace: str
    number: int = 1

    @property
    def name(self) -> str:
        return f"support-r{self.number}"

    @property
    def where(self) -> tuple[str, ...]:
        return "agentrollouts.turnout.dev", self.name, f"--namespace={self.namespace}"

    def patch(self, **spec: object) -> tuple[str, ...]:
        return ("patch", *self.where, "--type=merge", f"--patch={json.dumps({'spec': spec})}")

    def approval(self, by: str) -> tuple[str, ...]:
        added = {"op": "add", "path": "/spec/approvals/-", "value": {"step": "ship", "by": by}}
        return ("patch", *self.where, "--type=json", f"--patch={json.dumps([added])}")

    def manifest(self, **metadata: object) -> Json:
        spec = {
            "agent": "support",
            "number": self.number,
            "trigger": "ContentChanged",
            "to": {"version": VERSION, "digest": DIGEST},
            "strategy": STRATEGY,
            "gate": GATE,
            "approvals": [],
        }
        return _manifest("AgentRollout", self.namespace, self.name, spec, **metadata)


def version(namespace: str, **metadata: object) -> Json:
    spec = {
        "agent": "support",
        "digest": DIGEST,
        "digestScheme": 1,
        "render": 1,
        "planes": [{"name": "Prompt", "digest": DIGEST}],
        "contentRef": {"name": VERSION, "bytes": 1},
    }
    return _manifest("AgentVersion", namespace, VERSION, spec, **metadata)


def agent(namespace: str) -> Json:
    spec = {
        "template": {"spec": {"containers": [{"name": "agent", "image": "agent:1"}]}},
        "promptRefs": [{"name": "support-system"}],
        "strategyRef": {"name": "careful"},
        "traffic": {"mode": "ReplicaRatio", "service": {"port": 8080}},
    }
    return _manifest("Agent", namespace, "support", spec)


def user_objects(namespace: str) -> list[Json]:
    """Return one object of each kind that people write."""
    says = {"name": "says", "contains": {"allOf": ["yes"]}}
    task = {"id": "hours", "input": "Are you open?", "graders": [says]}
    ratio = {"good": {"metric": "tasks_ok_total"}, "total": {"metric": "tasks_total"}}
    return [
        agent(namespace),
        eval_run(namespace, "Manual"),
        *(
            _manifest(kind, namespace, "support", spec)
            for kind, spec in (
                ("Prompt", {"role": "System", "text": "Help.", "format": "Plain"}),
                ("ToolRegistry", {"tools": []}),
                ("AgentPolicy", {"mode": "Enforce"}),
                ("RolloutStrategy", {"strategy": STRATEGY, "gate": GATE}),
                ("MetricTemplate", {"type": "Ratio", "ratio": ratio}),
                ("EvalSuite", {"tasks": [task], "runner": {"builtin": {}}}),
            )
        ),
    ]


def eval_run(namespace: str, purpose: str) -> Json:
    """A run of a suite, for a person or for a rollout."""
    names = {"suite": {"name": "support"}, "version": {"name": VERSION}}
    return _manifest("EvalRun", namespace, "support", {**names, "purpose": purpose})


def registry(namespace: str, named: str | None = None) -> Json:
    """A ToolRegistry with one server, asked with a Secret or without."""
    header = {"name": "Authorization", "secretKeyRef": {"name": named, "key": "token"}}
    server: Json = {"name": "crm", "type": "MCP", "url": "https://crm.example.com/mcp"}
    servers = [server | {"headersFrom": [header]} if named else server]
    return _manifest("ToolRegistry", namespace, "tools", {"servers": servers})


def prompt(namespace: str, named: str | None = None) -> Json:
    """A Prompt in a registry, read with a Secret or without."""
    source: Json = {"endpoint": "https://mlflow.example.com", "name": "system", "version": 1}
    mlflow = source | ({"secretRef": {"name": named}} if named else {})
    spec = {"role": "System", "format": "Plain", "mlflow": mlflow}
    return _manifest("Prompt", namespace, "system", spec)


def _manifest(kind: str, namespace: str, name: str, spec: Json, **metadata: object) -> Json:
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace, **metadata},
        "spec": spec,
    }
