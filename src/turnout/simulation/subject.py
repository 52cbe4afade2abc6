"""The agent that is tried: the least that a rollout needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from turnout.api.base import API_VERSION
from turnout.api.gate import GateMetric, GateMetricType
from turnout.api.strategy import RolloutStrategySpec
from turnout.simulation.cluster import Document

AGENT: Final = "agent"


def documents(spec: RolloutStrategySpec) -> Iterator[Document]:
    """Write an Agent that goes out by these steps and this gate, and what it refers to."""
    yield content("one")
    for metric in spec.gate.metrics:
        if metric.template_ref is not None:
            yield _template(metric, metric.template_ref.name)
    wire = spec.to_wire()
    yield _object(
        "Agent",
        AGENT,
        {
            "replicas": 1,
            "template": {
                "spec": {
                    "containers": [
                        {"name": "agent", "image": "agent", "ports": [{"containerPort": 8080}]}
                    ]
                }
            },
            "promptRefs": [{"name": "prompt"}],
            "strategy": wire["strategy"],
            "gate": wire["gate"],
            "traffic": {
                "mode": "HTTPRoute",
                "service": {"port": 8080},
                "httpRoute": {"parentRefs": [{"name": "gateway"}]},
            },
        },
    )


def yes(steps: Sequence[Document], number: int) -> Document:
    """Write what people wish where they let a rollout past a step, counted from 1.

    Approvals are of all steps up to it: those that were given stay.
    """
    if "approve" not in steps[number - 1]:
        return {"promote": {"mode": "Step", "throughStep": number, "by": "people"}}
    asked = (one for one in steps[:number] if "approve" in one)
    return {
        "approvals": [
            {"step": one["name"], "by": f"person-{person}"}
            for one in asked
            for person in range(one["approve"].get("minApprovals", 1))
        ]
    }


def _template(metric: GateMetric, name: str) -> Document:
    counter = {"metric": "requests"}
    blocks: dict[GateMetricType, Document] = {
        GateMetricType.LATENCY: {"type": "Histogram", "histogram": counter},
        GateMetricType.COST_PER_SUCCESS: {
            "type": "SumCount",
            "sumCount": {"sum": {"metric": "spent"}, "count": counter},
        },
    }
    spec = blocks.get(metric.type, {"type": "Ratio", "ratio": {"good": counter, "total": counter}})
    return _object("MetricTemplate", name, spec)


def content(text: str) -> Document:
    """Write what the agent is made of; another text is another version."""
    return _object("Prompt", "prompt", {"role": "System", "format": "Plain", "text": text})


def _object(kind: str, name: str, spec: Document) -> Document:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec}
