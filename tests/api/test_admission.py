"""What the API server itself refuses and accepts, before the operator sees it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.api.documents import GATE, GONE, NAMES, SPECS, STRATEGY, changed, good
from tests.api.server import ApiServer
from turnout.api.base import API_VERSION
from turnout.api.digest import digest_of

pytestmark = pytest.mark.light

EXAMPLES = Path(__file__).parents[2] / "examples"

STEPS = "spec.strategy.steps"
METRICS = "spec.gate.metrics"
CONTAINERS = "spec.template.spec.containers"
ROUTE = "spec.traffic.httpRoute"
RULE = f"{ROUTE}.rules.0"
URL = "spec.servers.0.url"
TOOL = "spec.tools.0"

Row = tuple[str, str, Any, str]

BAD_AGENTS: tuple[Row, ...] = (
    ("Agent", "metadata.name", "a" * 41, "at most 40"),
    ("Agent", "metadata.name", "a.b", "DNS label"),
    ("Agent", "metadata.name", "9lives", "begins with a letter"),
    ("Agent", "metadata.name", "support-0123456789", "does not end like a version"),
    ("Agent", "metadata.name", "support-0123456789-shadow", "does not end like a version"),
    ("Agent", "spec.replicas", -1, "greater than or equal to 0"),
    ("Agent", "spec.replicas", 10**9, "less than or equal to 10000"),
    ("Agent", "spec.template", GONE, "Required value"),
    ("Agent", CONTAINERS, [], "at least 1 items"),
    ("Agent", CONTAINERS, [{"name": "a", "image": "x"}] * 2, "Duplicate value"),
    ("Agent", f"{CONTAINERS}.0.image", "", "at least 1 chars"),
    ("Agent", f"{CONTAINERS}.0.image", GONE, "Required value"),
    ("Agent", f"{CONTAINERS}.0.name", "other", "container must name a container"),
    ("Agent", f"{CONTAINERS}.0.ports", [{"containerPort": 80}] * 2, "Duplicate value"),
    ("Agent", f"{CONTAINERS}.0.env.0.valueFrom", {"secretKeyRef": {"nmae": "x"}}, "unknown field"),
    ("Agent", "spec.template.metadata.labels", {"turnout.dev/agent": "x"}, "are the operator's"),
    ("Agent", "spec.template.metadata.annotations", {"turnout.dev/kill": ""}, "are the operator's"),
    ("Agent", "spec.model.temperature", 0.7, "must be of type string"),
    ("Agent", "spec.model.temperature", "-1", "should match"),
    ("Agent", "spec.model.temperature", 1e300, "must be of type string"),
    ("Agent", "spec.model.extra", "x" * 8193, "Too long"),
    ("Agent", "spec.promptRefs", [], "at least 1 items"),
    ("Agent", "spec.promptRefs", GONE, "Required value"),
    ("Agent", "spec.promptRefs", [{"name": "a"}, {"name": "a"}], "Duplicate value"),
    ("Agent", "spec.promptRefs", [{"name": f"p{n}"} for n in range(40)], "at most 16 items"),
    ("Agent", "spec.promptRefs.0.namespace", "other", "unknown field"),
    ("Agent", "spec.promptRefs.0.digest", "sha256:abc", "should match"),
    ("Agent", "spec.strategyRef", GONE, "either strategyRef"),
    ("Agent", "spec.gate", GATE, "either strategyRef"),
    ("Agent", "spec.traffic.mode", "Ingress", "Unsupported value"),
    ("Agent", "spec.traffic.mode", GONE, "Required value"),
    ("Agent", "spec.traffic.mode", "ReplicaRatio", "has no place elsewhere"),
    ("Agent", ROUTE, GONE, "httpRoute is required"),
    ("Agent", f"{ROUTE}.parentRefs", [], "at least 1 items"),
    ("Agent", f"{ROUTE}.hostnames", ["*"], "should match"),
    ("Agent", f"{ROUTE}.hostnames", [f"h{n}.example.com" for n in range(17)], "at most 16 items"),
    ("Agent", f"{RULE}.backendRefs", [{"name": "x"}], "unknown field"),
    ("Agent", f"{RULE}.matches", [{"method": "GET"}] * 65, "at most 8 items"),
    ("Agent", f"{RULE}.filters.0.type", "RequestMirror", "Unsupported value"),
    ("Agent", f"{RULE}.filters.0.type", "URLRewrite", "the block that type names"),
    ("Agent", f"{RULE}.timeouts.request", "2 minutes", "should match"),
    ("Agent", "spec.traffic.drainTimeout", "25h", "at most 24h"),
    ("Agent", "spec.traffic.drainTimeout", "", "at least 1 chars"),
    ("Agent", "spec.traffic.state", "Off", "Unsupported value"),
    ("Agent", "spec.traffic.service.port", 70000, "less than or equal to 65535"),
    ("Agent", "spec.deployment.progressDeadline", "0s", "at least 1s"),
    ("Agent", "spec.deployment.maxSurge", "200%", "should match"),
    ("Agent", "spec.deployment.maxSurge", -1, "greater than or equal to 0"),
    ("Agent", "spec.revisionHistoryLimit", 0, "greater than or equal to 1"),
    ("Agent", "spec.suspend", True, "unknown field"),
    ("Agent", "spec.owners.0.name", "x" * 10_000, "Too long"),
    ("Agent", "spec.owners.0.name", "<b>me</b>", "should match"),
    ("Agent", "spec.owners.0.contact", "a\nb", "should match"),
)
BAD_STRATEGIES: tuple[Row, ...] = tuple(
    ("RolloutStrategy", *row)
    for row in (
        (f"{STEPS}.0.setWeight", 101, "less than or equal to 100"),
        (f"{STEPS}.0.setWeight", -1, "greater than or equal to 0"),
        (f"{STEPS}.0.setWeight", 50.5, "must be of type integer"),
        (f"{STEPS}.0.setWeight", 50.0, "expected int"),
        (f"{STEPS}.0.setWeight", "50%", "must be of type integer"),
        (f"{STEPS}.0.setWeight", 60, "must not decrease"),
        (STEPS, [], "at least 1 items"),
        (STEPS, [{"setWeight": 5}] * 65, "at most 32 items"),
        (f"{STEPS}.0", {"setWeight": 5, "pause": {}}, "exactly one of"),
        (f"{STEPS}.0", {}, "exactly one of"),
        (f"{STEPS}.0", {"name": "x"}, "exactly one of"),
        (f"{STEPS}.2.name", GONE, "needs a name"),
        (f"{STEPS}.4.name", "ship", "must be unique"),
        (f"{STEPS}.2.approve.minApprovals", 0, "greater than or equal to 1"),
        (f"{STEPS}.2.approve.onTimeout", "Promote", "Unsupported value"),
        (f"{STEPS}.1.pause.duration", "10 m", "should match"),
        (f"{STEPS}.1.pause.duration", 600, "must be of type string"),
        ("spec.strategy.scaleDownDelay", "25h", "at most 24h"),
        ("spec.gate.mode", "Statistical", "Unsupported value"),
        ("spec.gate.mode", GONE, "Required value"),
        ("spec.gate.onInconclusive", GONE, "Required value"),
        ("spec.gate.onInconclusive", "Promote", "Unsupported value"),
        ("spec.gate.maxDuration", "10m", "not be longer than maxDuration"),
        ("spec.gate.minDuration", "3h", "not be longer than maxDuration"),
        ("spec.gate.interval", "1ms", "should match"),
        ("spec.gate.interval", "0s", "between 5s and 1h"),
        ("spec.gate.interval", "4s", "between 5s and 1h"),
        ("spec.gate.failures", {"count": 6}, "must not be greater than of"),
        ("spec.gate.failures", {"count": 3, "of": 21}, "less than or equal to 20"),
        ("spec.gate.minRequests", 0, "greater than or equal to 1"),
        (METRICS, [], "at least 1 items"),
        (METRICS, [GATE["metrics"][0]] * 2, "Duplicate value"),
        (METRICS, [{**GATE["metrics"][0], "name": f"m{n}"} for n in range(200)], "at most 20"),
        (METRICS, [{**GATE["metrics"][0], "onRegression": "Record"}], "at least one metric must"),
        (f"{METRICS}.0.type", GONE, "Required value"),
        (f"{METRICS}.0.type", "Throughput", "Unsupported value"),
        (f"{METRICS}.0.minimum", "200%", "should match"),
        (f"{METRICS}.0.minimum", "-1%", "should match"),
        (f"{METRICS}.0.minimum", "100.99%", "should match"),
        (f"{METRICS}.0.minimum", 0.02, "must be of type string"),
        (f"{METRICS}.0.minimum", "2 %", "should match"),
        (f"{METRICS}.0.minimun", "95%", "unknown field"),
        (f"{METRICS}.0.onRegression", GONE, "Required value"),
        (f"{METRICS}.0.slowerThan", "1s", "has no place elsewhere"),
        (f"{METRICS}.1.slowerThan", GONE, "slowerThan is required"),
        ("metadata.name", "a.b", "DNS label"),
        ("metadata.name", "a" * 53, "at most 52"),
    )
)
BAD_CONTENT: tuple[Row, ...] = (
    ("Prompt", "spec.text", GONE, "Required value"),
    ("Prompt", "spec.text", "", "at least 1 chars"),
    ("Prompt", "spec.text", "x" * 262_145, "Too long"),
    ("Prompt", "spec.role", "Assistant", "Unsupported value"),
    ("Prompt", "spec.format", "Python", "Unsupported value"),
    ("Prompt", "spec.format", GONE, "Required value"),
    ("Prompt", "spec.variables.0.name", "{0.__class__}", "should match"),
    ("Prompt", "spec.variables", [{"name": f"v{n}"} for n in range(65)], "at most 64 items"),
    ("Prompt", "spec.configMapKeyRef", {"name": "x", "key": "y"}, "unknown field"),
    ("Prompt", "metadata.name", "a.b", "DNS label"),
    ("ToolRegistry", URL, "file:///etc/passwd", "should match"),
    ("ToolRegistry", URL, "gopher://h", "should match"),
    ("ToolRegistry", URL, "http://u:p@h", "should match"),
    ("ToolRegistry", URL, "http://169.254.169.254", "link-local"),
    ("ToolRegistry", URL, "https://169.254.169.254/latest", "link-local"),
    ("ToolRegistry", URL, "http://0.0.0.0", "unspecified"),
    ("ToolRegistry", URL, "http://[::]", "should match"),
    ("ToolRegistry", URL, "http://0x7f.1", "should match"),
    ("ToolRegistry", URL, "http://2130706433", "should match"),
    ("ToolRegistry", URL, "http://017.0.0.1", "should match"),
    ("ToolRegistry", URL, "//h", "should match"),
    ("ToolRegistry", URL, "http://h/a b", "should match"),
    ("ToolRegistry", f"{TOOL}.sideEffect", GONE, "Required value"),
    ("ToolRegistry", f"{TOOL}.sideEffect", "write", "Unsupported value"),
    ("ToolRegistry", f"{TOOL}.inputSchema", GONE, "Required value"),
    ("ToolRegistry", f"{TOOL}.inputSchema", {"type": "object"}, "unknown field"),
    ("ToolRegistry", f"{TOOL}.inputSchema", 7, "must be of type string"),
    ("ToolRegistry", f"{TOOL}.inputSchema", "x" * 32_769, "Too long"),
    ("ToolRegistry", f"{TOOL}.name", "refunds\u202e.create", "should match"),
    ("ToolRegistry", f"{TOOL}.name", "r\u0435funds", "should match"),
    ("ToolRegistry", f"{TOOL}.name", "x" * 300, "Too long"),
    ("ToolRegistry", "spec.tools", [SPECS["ToolRegistry"]["tools"][0]] * 2, "Duplicate value"),
    ("AgentPolicy", "spec.mode", GONE, "Required value"),
    ("AgentPolicy", "spec.mode", "Off", "Unsupported value"),
    ("AgentPolicy", "spec.tools.allow", ["a.*.b"], "should match"),
    ("AgentPolicy", "spec.tools.allow", ["a", "a"], "Duplicate value"),
    ("AgentPolicy", "spec.limits.maxSteps", 0, "greater than or equal to 1"),
    ("AgentPolicy", "spec.limits.maxCostPerTaskUSD", -1, "must be of type string"),
    ("AgentPolicy", "spec.limits.maxCostPerTaskUSD", "1e308", "should match"),
    ("AgentPolicy", "spec.limits.maxCostPerTaskUSD", 1e308, "must be of type string"),
    ("AgentPolicy", "spec.limits.timeout", "0s", "at least 1s"),
    ("AgentPolicy", "spec.killSwitch", {"agent": "Stop"}, "unknown field"),
    ("MetricTemplate", "spec.ratio", GONE, "the block that type names"),
    ("MetricTemplate", "spec.histogram", {"metric": "x"}, "the block that type names"),
    ("MetricTemplate", "spec.type", "Gauge", "Unsupported value"),
    ("MetricTemplate", "spec.rawQuery", "up", "unknown field"),
    ("MetricTemplate", "spec.ratio.good.metric", "up or vector(1)", "should match"),
    ("MetricTemplate", "spec.ratio.good.metric", '{__name__=~".+"}', "should match"),
    ("MetricTemplate", "spec.ratio.good.matchLabels", {'a"} or x': "b"}, "label names"),
    ("MetricTemplate", "spec.ratio.good.matchLabels", {"__name__": "b"}, "label names"),
    ("MetricTemplate", "spec.ratio.good.matchLabels", {"le": "0.5"}, "label names"),
    ("MetricTemplate", "spec.ratio.good.matchLabels", {"a" * 65: "b"}, "label names"),
)
BAD_RECORDS: tuple[Row, ...] = (
    ("AgentVersion", "metadata.name", "support-9c41e07b", "first ten hex digits"),
    ("AgentVersion", "metadata.name", "support-e07b55a9c1", "first ten hex digits"),
    ("AgentVersion", "spec.agent", "other", "first ten hex digits"),
    ("AgentVersion", "spec.digest", "9c41e07b2d", "should match"),
    ("AgentRollout", "metadata.name", "support-14", "-r, and the number"),
    ("AgentRollout", "metadata.name", "support-r15", "-r, and the number"),
    ("AgentRollout", "metadata.name", "support-r014", "-r, and the number"),
    ("AgentRollout", "spec.number", 0, "greater than or equal to 1"),
    ("AgentRollout", "spec.abort", {}, "Required value"),
    ("AgentRollout", "spec.abort", {"by": "x\ny"}, "should match"),
    ("AgentRollout", "spec.pause", {"by": "ada", "reason": "x" * 257}, "Too long"),
    ("AgentRollout", "spec.promote", {"mode": "Step", "by": "ada"}, "throughStep is required"),
    (
        "AgentRollout",
        "spec.promote",
        {"mode": "Full", "throughStep": 1, "by": "ada"},
        "has no place elsewhere",
    ),
    ("AgentRollout", "spec.approvals", [{"step": "nope", "by": "ada"}], "name an approve step"),
    ("AgentRollout", "spec.approvals", [{"step": "look", "by": "ada"}], "name an approve step"),
    (
        "AgentRollout",
        "spec.approvals",
        [{"step": "ship", "by": f"u{n}"} for n in range(10_000)],
        "at most 16 items",
    ),
)
GOOD_CHANGES: tuple[tuple[str, str, Any], ...] = (
    ("Agent", "metadata.name", "a" * 40),
    ("Agent", "metadata.name", "support-012345678"),
    ("Agent", "spec.replicas", GONE),
    ("Agent", "spec.replicas", 0),
    ("Agent", "spec.container", GONE),
    ("Agent", "spec.deployment.maxSurge", 1),
    ("Agent", "spec.pinnedVersion", "support-9c41e07b2d"),
    ("Agent", "spec.traffic.drainTimeout", "1h30m"),
    ("Agent", f"{ROUTE}.rules", GONE),
    ("Agent", f"{CONTAINERS}.0.image", "support:latest"),
    ("Agent", f"{CONTAINERS}.0.resources.limits", {"cpu": 1, "memory": "1Gi"}),
    ("RolloutStrategy", f"{STEPS}.0.setWeight", 0),
    ("RolloutStrategy", "spec.gate.failures", GONE),
    ("RolloutStrategy", "spec.gate.minDuration", "2h"),
    ("RolloutStrategy", f"{METRICS}.0.minimum", "100%"),
    ("RolloutStrategy", f"{METRICS}.0.onRegression", "Record"),
    ("RolloutStrategy", "metadata.name", "a" * 52),
    ("Prompt", "spec.text", "{{x}} {0.__class__} ${X} \u202e \U0001f682"),
    ("ToolRegistry", URL, "http://10.0.0.7:8080/mcp?x=1"),
    ("ToolRegistry", URL, "https://crm"),
    ("ToolRegistry", f"{TOOL}.server", GONE),
    ("ToolRegistry", "spec", {}),
    ("AgentPolicy", "spec.tools.deny", ["*"]),
    ("AgentPolicy", "spec", {"mode": "Audit"}),
    ("MetricTemplate", "spec", {"type": "Histogram", "histogram": {"metric": "x_seconds"}}),
    ("MetricTemplate", "spec.ratio.good.matchLabels", {"code": 'a"} or vector(1) #'}),
    ("AgentRollout", "spec.from", GONE),
    ("AgentRollout", "spec.approvals", GONE),
)


def _named(row: tuple[Any, ...]) -> str:
    return f"{row[0]}.{row[1]}={str(row[2])[:40]}".encode("ascii", "replace").decode()


@pytest.mark.parametrize(
    "row", (*BAD_AGENTS, *BAD_STRATEGIES, *BAD_CONTENT, *BAD_RECORDS), ids=_named
)
def test_bad_input_is_refused_with_a_clear_answer(server: ApiServer, row: Row) -> None:
    kind, path, value, words = row
    answer = server.create(changed(good(kind), path, value))
    assert not answer.accepted
    assert words in answer.message


@pytest.mark.parametrize("row", GOOD_CHANGES, ids=_named)
def test_unusual_but_sound_input_is_accepted(server: ApiServer, row: tuple[str, str, Any]) -> None:
    answer = server.create(changed(good(row[0]), *row[1:]))
    assert answer.accepted, answer.message


@pytest.mark.parametrize("kind", SPECS)
def test_a_good_document_is_accepted(server: ApiServer, kind: str) -> None:
    answer = server.create(good(kind))
    assert answer.accepted, answer.message


def test_strategy_and_gate_stand_in_for_a_reference(server: ApiServer) -> None:
    inline = changed(good("Agent"), "spec.strategyRef", GONE)
    inline["spec"] |= {"strategy": STRATEGY, "gate": GATE}
    answer = server.create(inline)
    assert answer.accepted, answer.message


@pytest.mark.parametrize("missing", ["strategy", "gate"])
def test_strategy_and_gate_go_together(server: ApiServer, missing: str) -> None:
    inline = changed(good("Agent"), "spec.strategyRef", GONE)
    inline["spec"] |= {"strategy": STRATEGY, "gate": GATE}
    del inline["spec"][missing]
    assert "strategy and gate go together" in server.create(inline).message


def test_replica_ratio_needs_no_route(server: ApiServer) -> None:
    traffic = {"mode": "ReplicaRatio", "service": {"port": 8080}}
    answer = server.create(changed(good("Agent"), "spec.traffic", traffic))
    assert answer.accepted, answer.message


@pytest.mark.parametrize("kind", [kind for kind in SPECS if kind not in NAMES])
def test_content_and_template_are_stored_as_written(server: ApiServer, kind: str) -> None:
    """Defaults of ours in content would make an upgrade of the CRDs a change of every agent."""
    content = {"Agent": ("template", "model"), "RolloutStrategy": (), "MetricTemplate": ()}
    written = good(kind)["spec"]
    stored = server.create(good(kind)).document["spec"]
    for part in content.get(kind, tuple(written)):
        expected = written[part]
        if part == "template":
            expected["spec"]["containers"][0]["ports"][0]["protocol"] = "TCP"
        assert stored[part] == expected


def test_storing_an_agent_leaves_its_digest(server: ApiServer) -> None:
    written = good("Agent")["spec"]["template"]
    stored = server.create(good("Agent")).document["spec"]["template"]
    assert stored != written
    assert digest_of(template=stored, prompts=()) == digest_of(template=written, prompts=())


def _examples() -> list[Any]:
    documents = [
        (file, document)
        for file in sorted(EXAMPLES.rglob("*.yaml"))
        for document in yaml.safe_load_all(file.read_text(encoding="utf-8"))
        if isinstance(document, dict) and document.get("apiVersion") == API_VERSION
    ]
    return [
        pytest.param(document, id=f"{file.name}-{document['kind']}-{document['metadata']['name']}")
        for file, document in documents
    ]


@pytest.mark.parametrize("example", _examples())
def test_every_example_is_accepted(server: ApiServer, example: dict[str, Any]) -> None:
    example["metadata"]["namespace"] = "default"
    answer = server.create(example)
    assert answer.accepted, answer.message
