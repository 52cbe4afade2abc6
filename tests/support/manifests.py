"""Manifests that tests begin with: a small agent, complete and valid."""

from typing import Any

GATE: dict[str, Any] = {
    "mode": "Threshold",
    "interval": "10s",
    "failures": {"count": 3, "of": 5},
    "successes": 3,
    "minRequests": 5,
    "maxDuration": "30m",
    "onInconclusive": "Hold",
    "metrics": [
        {
            "name": "task-success",
            "type": "SuccessRate",
            "templateRef": {"name": "tasks"},
            "minimum": "90%",
            "onRegression": "Rollback",
        }
    ],
}
STEPS: list[dict[str, Any]] = [{"setWeight": 25}, {"pause": {"duration": "20s"}}, {"setWeight": 50}]


def strategy(steps: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    return {"steps": steps if steps is not None else STEPS, "scaleDownDelay": "30s"} | more


def kind(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "turnout.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "demo"},
        "spec": spec,
    }


def prompt(text: str = "You are a support agent.", name: str = "support-system") -> dict[str, Any]:
    return kind("Prompt", name, {"role": "System", "format": "Plain", "text": text})


def metric(name: str = "tasks") -> dict[str, Any]:
    good = {"metric": "agent_tasks_total", "matchLabels": {"outcome": "success"}}
    ratio = {"good": good, "total": {"metric": "agent_tasks_total"}}
    return kind("MetricTemplate", name, {"type": "Ratio", "ratio": ratio})


def agent(**spec: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "replicas": 2,
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "agent",
                        "image": "example/agent:1",
                        "ports": [{"containerPort": 8080}],
                    }
                ]
            }
        },
        "promptRefs": [{"name": "support-system"}],
        "strategy": strategy(),
        "gate": GATE,
        "traffic": {
            "mode": "HTTPRoute",
            "service": {"port": 8080},
            "httpRoute": {"parentRefs": [{"name": "public", "namespace": "gateways"}]},
        },
        "deployment": {"progressDeadline": "2m"},
    }
    return kind("Agent", "support", base | spec)


def everything(**spec: Any) -> list[dict[str, Any]]:
    """An Agent and all that it refers to."""
    return [prompt(), metric(), agent(**spec)]
