"""Good documents of every kind, and a way to change one thing in them."""

import copy
from enum import Enum
from typing import Any

from turnout.api.base import API_VERSION

Document = dict[str, Any]


class Gone(Enum):
    """As a value: take the field away."""

    GONE = "gone"


GONE = Gone.GONE

DIGEST = "sha256:9c41e07b2d" + "0" * 54
OTHER_DIGEST = "sha256:e07b55a9c1" + "0" * 54

STRATEGY: Document = {
    "steps": [
        {"setWeight": 5},
        {"pause": {"duration": "10m"}},
        {"name": "ship", "approve": {"minApprovals": 2, "timeout": "24h", "onTimeout": "Rollback"}},
        {"setWeight": 50},
        {"name": "look", "pause": {}},
    ],
    "scaleDownDelay": "10m",
    "watch": {"holdback": "10%", "bake": "30m"},
}
GATE: Document = {
    "mode": "Threshold",
    "interval": "10s",
    "failures": {"count": 3, "of": 5},
    "minDuration": "15m",
    "maxDuration": "2h",
    "onInconclusive": "Hold",
    "metrics": [
        {
            "name": "task-success",
            "type": "SuccessRate",
            "templateRef": {"name": "support-success"},
            "minimum": "95%",
            "onRegression": "Rollback",
        },
        {
            "name": "answer-time",
            "type": "Latency",
            "templateRef": {"name": "support-duration"},
            "minimum": "97.5%",
            "slowerThan": "500ms",
            "onRegression": "Hold",
        },
    ],
}
EVIDENCE: Document = {
    "mode": "Statistical",
    "onInconclusive": "Hold",
    "metrics": [
        {
            "name": "task-success",
            "type": "SuccessRate",
            "templateRef": {"name": "support-success"},
            "maxRegression": "2%",
            "onRegression": "Rollback",
        }
    ],
}
AGENT: Document = {
    "replicas": 3,
    "template": {
        "metadata": {"labels": {"team": "support"}},
        "spec": {
            "containers": [
                {
                    "name": "agent",
                    "image": "registry.example.com/support:1.4",
                    "ports": [{"containerPort": 8080}],
                    "env": [{"name": "LOG_LEVEL", "value": "info"}],
                    "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
                    "readinessProbe": {"httpGet": {"path": "/readyz", "port": 8080}},
                }
            ],
            "volumes": [{"name": "scratch", "emptyDir": {}}],
        },
    },
    "container": "agent",
    "model": {
        "provider": "openai",
        "name": "gpt-5-mini",
        "temperature": "0.2",
        "maxTokens": 2000,
        "extra": '{"seed":7}',
    },
    "promptRefs": [{"name": "support-system", "digest": DIGEST}, {"name": "support-tone"}],
    "toolRegistryRef": {"name": "support-tools"},
    "policyRef": {"name": "support-policy"},
    "strategyRef": {"name": "careful"},
    "traffic": {
        "mode": "HTTPRoute",
        "service": {"port": 8080, "appProtocol": "http"},
        "httpRoute": {
            "parentRefs": [{"name": "public", "namespace": "gateways", "sectionName": "https"}],
            "hostnames": ["support.example.com", "*.example.org"],
            "rules": [
                {
                    "matches": [
                        {
                            "path": {"type": "PathPrefix", "value": "/v1"},
                            "headers": [{"name": "x-team", "value": "staff"}],
                        }
                    ],
                    "filters": [
                        {
                            "type": "RequestHeaderModifier",
                            "requestHeaderModifier": {"set": [{"name": "x-a", "value": "b"}]},
                        },
                        {
                            "type": "URLRewrite",
                            "urlRewrite": {
                                "path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}
                            },
                        },
                    ],
                    "timeouts": {"request": "2m", "backendRequest": "500ms"},
                }
            ],
        },
        "drainTimeout": "5m",
    },
    "deployment": {"minReadySeconds": 5, "maxSurge": "25%", "maxUnavailable": 0},
    "owners": [{"name": "support-team", "contact": "#support"}],
}
SPECS: dict[str, Document] = {
    "Agent": AGENT,
    "Prompt": {
        "role": "System",
        "text": "You answer questions about orders of {{customer_name}}.\n",
        "format": "Mustache",
        "variables": [{"name": "customer_name", "required": True}],
    },
    "ToolRegistry": {
        "servers": [{"name": "crm", "type": "MCP", "url": "https://crm.example.com/mcp"}],
        "tools": [
            {
                "name": "refunds.create",
                "server": "crm",
                "description": "Refund an order.",
                "inputSchema": '{"type":"object"}',
                "sideEffect": "Write",
                "approval": "Required",
            }
        ],
    },
    "AgentPolicy": {
        "mode": "Enforce",
        "tools": {"allow": ["orders.*"], "deny": ["*"], "requireApproval": ["refunds.create"]},
        "models": {"allow": ["openai/gpt-5*"]},
        "limits": {
            "maxSteps": 20,
            "maxToolCalls": 30,
            "maxTokensPerTask": 50000,
            "maxCostPerTaskUSD": "0.50",
            "timeout": "2m",
        },
        "rules": [
            {
                "name": "small-refunds",
                "expression": "tool.name != 'refunds.create' || tool.arguments.amount <= 100",
                "message": "at most 100 USD a refund",
            }
        ],
        "contacts": [{"name": "support-leads", "contact": "#support-leads"}],
    },
    "RolloutStrategy": {"strategy": STRATEGY, "gate": GATE},
    "MetricTemplate": {
        "type": "Ratio",
        "ratio": {
            "good": {"metric": "support_tasks_total", "matchLabels": {"outcome": "resolved"}},
            "total": {"metric": "support_tasks_total"},
        },
    },
    "AgentVersion": {
        "agent": "support",
        "digest": DIGEST,
        "digestScheme": 1,
        "render": 1,
        "planes": [{"name": "Prompt", "digest": DIGEST}, {"name": "Runtime", "digest": DIGEST}],
        "sources": [
            {
                "plane": "Prompt",
                "kind": "Prompt",
                "name": "support-system",
                "uid": "6e5a",
                "generation": 7,
            }
        ],
        "images": [{"container": "agent", "image": "registry.example.com/support:1.4"}],
        "contentRef": {"name": "support-9c41e07b2d", "bytes": 48211},
    },
    "AgentRollout": {
        "agent": "support",
        "number": 14,
        "trigger": "ContentChanged",
        "from": {"version": "support-9c41e07b2d", "digest": DIGEST},
        "to": {"version": "support-e07b55a9c1", "digest": OTHER_DIGEST},
        "strategy": STRATEGY,
        "gate": GATE,
        "cause": {
            "planes": ["Prompt"],
            "changeCause": "shorter refunds",
            "changedBy": {"manager": "argocd-controller"},
        },
        "approvals": [],
    },
    "EvalSuite": {
        "tasks": [
            {
                "id": "verify-order",
                "input": "Refund my order 1042.",
                "labels": {"topic": "refunds"},
                "mustPass": True,
                "graders": [
                    {
                        "name": "looks-first",
                        "trajectory": {"order": "InOrder", "calls": [{"tool": "orders.lookup"}]},
                    },
                    {"name": "says-so", "contains": {"noneOf": ["refunded"]}},
                ],
            },
            {
                "id": "opening-hours",
                "conversation": [
                    {"role": "User", "text": "Hello."},
                    {"role": "Assistant", "text": "How can I help?"},
                    {"role": "User", "text": "When are you open?"},
                ],
                "graders": [{"name": "says-nine", "regex": {"pattern": "9 ?am"}}],
            },
        ],
        "tasksFrom": [{"configMapKeyRef": {"name": "golden", "key": "g.csv"}, "format": "CSV"}],
        "trials": {"min": 3, "max": 8},
        "runner": {
            "builtin": {
                "protocol": "HTTP",
                "path": "/tasks",
                "inputField": "question",
                "answerPath": "$.answer",
                "callsPath": "$.task.calls",
                "concurrency": 8,
                "perMinute": 60,
                "timeoutPerTask": "90s",
            }
        },
        "historyLimits": {"successful": 3, "failed": 10},
    },
    "EvalRun": {
        "suite": {"name": "core", "digest": DIGEST},
        "version": {"name": "support-9c41e07b2d", "digest": DIGEST},
        "baseline": {"name": "support-e07b55a9c1"},
        "purpose": "Manual",
    },
}
NAMES = {
    "AgentVersion": "support-9c41e07b2d",
    "AgentRollout": "support-r14",
    "EvalRun": "support-9c41e07b2d-0123abcd",
}


def good(kind: str, name: str | None = None) -> Document:
    """A document of this kind that uses most of its fields."""
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": name or NAMES.get(kind, "support"), "namespace": "default"},
        "spec": copy.deepcopy(SPECS[kind]),
    }


def with_metric(**changes: object) -> Document:
    """The gate in Statistical mode with other values in its metric."""
    return {**EVIDENCE, "metrics": [{**EVIDENCE["metrics"][0], **changes}]}


def changed(document: Document, path: str, value: object) -> Document:
    """The document with another value at a dotted path; numbers are places in a list."""
    made = copy.deepcopy(document)
    *way, last = path.split(".")
    node: Any = made
    for part in way:
        node = node[int(part)] if isinstance(node, list) else node.setdefault(part, {})
    key: Any = int(last) if isinstance(node, list) else last
    if value is GONE:
        del node[key]
    else:
        node[key] = copy.deepcopy(value)
    return made
