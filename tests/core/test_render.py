"""Manifests of what the operator makes."""

from typing import Any

from tests.support.manifests import everything
from tests.support.simulation import Simulation

RULES: list[dict[str, Any]] = [
    {
        "name": "chat",
        "matches": [{"path": {"type": "PathPrefix", "value": "/chat"}, "method": "POST"}],
        "filters": [
            {
                "type": "RequestHeaderModifier",
                "requestHeaderModifier": {"set": [{"name": "x-tenant", "value": "a"}]},
            }
        ],
        "timeouts": {"request": "2m"},
    },
    {"matches": [{"path": {"type": "Exact", "value": "/health"}}]},
]
ROUTE: dict[str, Any] = {
    "parentRefs": [{"name": "public", "namespace": "gateways", "sectionName": "https"}],
    "hostnames": ["support.example.com"],
    "rules": RULES,
}


def settled(**spec: Any) -> Simulation:
    sim = Simulation(everything(**spec))
    sim.settle()
    return sim


def routed() -> Simulation:
    traffic = {
        "mode": "HTTPRoute",
        "service": {"port": 8080, "appProtocol": "http"},
        "httpRoute": ROUTE,
    }
    return settled(traffic=traffic)


def test_a_route_keeps_what_a_person_wrote_and_gets_the_versions_in_every_rule() -> None:
    sim = routed()
    spec = sim.get("HTTPRoute", "support")["spec"]
    assert spec["parentRefs"] == ROUTE["parentRefs"]
    assert spec["hostnames"] == ROUTE["hostnames"]
    backend = {"kind": "Service", "name": sim.stable, "port": 8080, "weight": 100}
    for made, written in zip(spec["rules"], RULES, strict=True):
        assert made["backendRefs"] == [backend]
        assert made.get("timeouts") == written.get("timeouts")
        assert made["matches"][0]["path"] == written["matches"][0]["path"]
    assert spec["rules"][0]["filters"][0]["type"] == "RequestHeaderModifier"
    assert "filters" not in spec["rules"][1]


def test_a_match_that_somebody_adds_to_the_route_goes_and_the_gateways_default_stays() -> None:
    sim = settled()
    route = sim.get("HTTPRoute", "support")
    every = [{"path": {"type": "PathPrefix", "value": "/"}}]
    sim.patch("HTTPRoute", "support", {"spec": {"rules": [_with(route, matches=every)]}})
    assert not sim.reconcile().decision.actions
    nobody = [{"headers": [{"name": "x", "value": "y"}]}]
    sim.patch("HTTPRoute", "support", {"spec": {"rules": [_with(route, matches=nobody)]}})
    assert len(sim.reconcile().decision.actions) == 1
    assert "matches" not in sim.get("HTTPRoute", "support")["spec"]["rules"][0]


def _with(route: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {**route["spec"]["rules"][0], **parts}


def test_rules_that_disagree_are_no_weight_and_are_corrected() -> None:
    sim = routed()
    rules = [dict(one) for one in sim.get("HTTPRoute", "support")["spec"]["rules"]]
    rules[1]["backendRefs"] = [{"kind": "Service", "name": "other", "port": 1, "weight": 100}]
    sim.patch("HTTPRoute", "support", {"spec": {"rules": rules}})
    sim.settle()
    seen = {str(one["backendRefs"]) for one in sim.get("HTTPRoute", "support")["spec"]["rules"]}
    assert len(seen) == 1


THEIRS: dict[str, Any] = {
    "metadata": {"labels": {"app": "support"}, "annotations": {"note": "theirs"}},
    "spec": {
        "containers": [
            {"name": "proxy", "image": "p:1"},
            {
                "name": "agent",
                "image": "a:1",
                "env": [
                    {"name": "TURNOUT_VERSION", "value": "forged"},
                    {"name": "OTEL_RESOURCE_ATTRIBUTES", "value": "team=a"},
                    {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
                ],
            },
        ],
        "serviceAccountName": "support",
        "terminationGracePeriodSeconds": 7,
    },
}


def test_pods_get_a_persons_template_our_labels_the_content_and_the_environment() -> None:
    sim = settled(template=THEIRS, container="agent")
    made = sim.get("Deployment", sim.stable)["spec"]["template"]
    assert made["metadata"]["labels"] == {
        "app": "support",
        "turnout.dev/agent": "support",
        "turnout.dev/version": sim.stable,
        "turnout.dev/mode": "live",
    }
    assert made["metadata"]["annotations"] == {"note": "theirs", "turnout.dev/render": "2"}
    proxy, agent = made["spec"]["containers"]
    assert proxy == {"name": "proxy", "image": "p:1"}
    environment = {one["name"]: one.get("value") for one in agent["env"]}
    assert environment["TURNOUT_VERSION"] == sim.stable
    assert environment["OTEL_RESOURCE_ATTRIBUTES"] == (
        f"team=a,service.name=support,service.version={sim.stable}"
    )
    assert len(environment) == len(agent["env"]), "no name twice"
    assert agent["volumeMounts"] == [
        {"name": "turnout-content", "mountPath": "/etc/turnout", "readOnly": True},
        {"name": "turnout-kill", "mountPath": "/etc/turnout-kill", "readOnly": True},
    ]
    assert environment["TURNOUT_KILL_DIR"] == "/etc/turnout-kill"
    assert made["spec"]["terminationGracePeriodSeconds"] == 7
    assert "automountServiceAccountToken" not in made["spec"]
    items = made["spec"]["volumes"][0]["configMap"]["items"]
    assert {one["key"] for one in items} == {"agent.json", "prompt.support-system.txt"}


def test_a_deployment_gets_what_the_agent_says_of_deployments() -> None:
    deployment = {
        "progressDeadline": "5m",
        "minReadySeconds": 3,
        "maxSurge": "50%",
        "maxUnavailable": 0,
    }
    sim = settled(deployment=deployment)
    spec = sim.get("Deployment", sim.stable)["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": "50%", "maxUnavailable": 0}
    assert spec["progressDeadlineSeconds"] > 300, "ours speaks first"
    assert spec["template"]["spec"]["automountServiceAccountToken"] is False


def test_nothing_of_the_agents_own_metadata_is_copied_and_serving_objects_have_no_owner() -> None:
    sim = Simulation(everything())
    labels = {"argocd.argoproj.io/instance": "prod"}
    sim.patch("Agent", "support", {"metadata": {"labels": labels, "annotations": labels}})
    sim.settle()
    for kind in ("Deployment", "Service", "ConfigMap", "HTTPRoute"):
        for one in sim.all(kind):
            metadata = one["metadata"]
            assert "argocd.argoproj.io/instance" not in metadata["labels"] | metadata["annotations"]
            assert "ownerReferences" not in metadata
            assert metadata["annotations"]["turnout.dev/crd-uid"] == "crd-1"
    for kind in ("AgentVersion", "AgentRollout"):
        assert sim.all(kind)[0]["metadata"]["ownerReferences"][0]["name"] == "support"


def test_the_agents_service_is_the_fact_who_is_stable() -> None:
    sim = routed()
    service = sim.get("Service", "support")
    assert service["metadata"]["annotations"]["turnout.dev/stable-version"] == sim.stable
    assert service["spec"]["selector"]["turnout.dev/version"] == sim.stable
    assert service["spec"]["ports"][0]["appProtocol"] == "http"


def test_what_was_rendered_once_is_never_rendered_again() -> None:
    sim = settled()
    before = sim.get("Deployment", sim.stable)["spec"]["template"]
    traffic = {"drainTimeout": "5m", "service": {"port": 9090}}
    sim.patch("Agent", "support", {"spec": {"traffic": traffic}})
    sim.settle()
    assert sim.get("Deployment", sim.stable)["spec"]["template"] == before
    assert sim.get("Service", sim.stable)["spec"]["ports"][0]["port"] == 9090
