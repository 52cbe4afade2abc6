"""What a deleted Agent left goes by stages; an orphaned one keeps what serves."""

from datetime import timedelta
from typing import Any

import pytest

from turnout.api.agent import DeletionPolicy
from turnout.core.collection import AT_ONCE, PATIENCE, Left, Stage, next_stage
from turnout.core.plan import Action, Apply, Release, Remove
from turnout.core.world import Child

STABLE, CANDIDATE = "support-aaaaaaaaaa", "support-bbbbbbbbbb"
GRACE = 60.0


def child(kind: str, name: str, **document: Any) -> Child:
    version = name if name != "support" else None
    labels = {"app.kubernetes.io/managed-by": "turnout", "turnout.dev/agent": "support"}
    notes = document.pop("annotations", {})
    metadata = {
        "name": name,
        "labels": labels | ({"turnout.dev/version": version} if version else {}) | {"theirs": "1"},
        "annotations": {"turnout.dev/deletion-policy": "Delete", "theirs": "2"} | notes,
    }
    return Child(f"uid-{kind}-{name}", "7", {"metadata": metadata, **document})


def route(*weights: dict[str, int]) -> Child:
    rules = [
        {
            "matches": [{"path": {"value": "/"}}],
            "backendRefs": [{"name": one, "port": 80, "weight": n} for one, n in rule.items()],
        }
        for rule in weights
    ]
    return child("HTTPRoute", "support", spec={"parentRefs": [{"name": "public"}], "rules": rules})


def deployment(name: str, grace: float | None = GRACE) -> Child:
    pod = {} if grace is None else {"terminationGracePeriodSeconds": grace}
    return child("Deployment", name, spec={"template": {"spec": pod}})


def own_service(mode: str = "live", **selector: str) -> Child:
    chosen = {"turnout.dev/agent": "support", "turnout.dev/mode": mode} | selector
    spec = {"selector": chosen, "ports": [{"port": 80}], "clusterIP": "10.0.0.1"}
    told = {"turnout.dev/stable-version": STABLE}
    return child("Service", "support", spec=spec, annotations=told)


def canary(**changes: Any) -> Left:
    """A rollout under way: both arms with pods, a quarter of the traffic at the candidate."""
    version = {"turnout.dev/version": STABLE}
    children = {
        ("HTTPRoute", "support"): route({STABLE: 75, CANDIDATE: 25}),
        ("Service", "support"): own_service(**version),
    }
    for name in (STABLE, CANDIDATE):
        children["Service", name] = child("Service", name)
        children["Deployment", name] = deployment(name)
        children["ConfigMap", name] = child("ConfigMap", name)
    children |= changes.pop("children", {})
    known: dict[str, Any] = {"ready": frozenset({STABLE, CANDIDATE})} | changes
    return Left("demo", "support", children, **known)


def without(left: Left, *gone: tuple[str, str], **changes: Any) -> Left:
    children = {key: one for key, one in left.children.items() if key not in gone}
    return Left("demo", "support", children, **{**_known(left), **changes})


def _known(left: Left) -> dict[str, Any]:
    return {"policy": left.policy, "ready": left.ready, "idle": left.idle}


def _after(left: Left, action: Action) -> Left:
    match action:
        case Remove(target, _, _) | Release(target, _):
            return without(left, (target.kind, target.name))
        case Apply(manifest, _, _):
            key = (manifest["kind"], manifest["metadata"]["name"])
            document = {"metadata": manifest["metadata"], "spec": manifest["spec"]}
            changed = {key: Child("uid", "8", document)}
            return Left("demo", "support", {**left.children, **changed}, **_known(left))
        case _:
            raise AssertionError(action)


def course_of(left: Left) -> list[str]:
    """Play all stages, drained at once; returns what was done."""
    done: list[str] = []
    while True:
        stage = next_stage(left)
        if not stage.actions and stage.again_in is None:
            return done
        if not stage.actions:
            left = without(left, idle=GRACE)
            done.append("drain")
        for action in stage.actions:
            done.append(_told(action))
            left = _after(left, action)


def _told(action: Action) -> str:
    match action:
        case Apply(manifest, _, _):
            return f"return {manifest['kind']}"
        case Remove(target, _, _):
            return f"remove {target.kind} {target.name}"
        case Release(target, _):
            return f"release {target.kind} {target.name}"
        case _:
            raise AssertionError(action)


def test_everything_goes_traffic_first_then_pods_then_content() -> None:
    assert course_of(canary()) == [
        "return HTTPRoute",
        "remove HTTPRoute support",
        "remove Service support",
        f"remove Service {STABLE}",
        f"remove Service {CANDIDATE}",
        "drain",
        f"remove Deployment {STABLE}",
        f"remove Deployment {CANDIDATE}",
        f"remove ConfigMap {STABLE}",
        f"remove ConfigMap {CANDIDATE}",
    ]


def test_an_orphan_keeps_stable_and_is_given_up_with_its_own_service_last() -> None:
    assert course_of(canary(policy=DeletionPolicy.ORPHAN)) == [
        "return HTTPRoute",
        f"remove Service {CANDIDATE}",
        "drain",
        f"remove Deployment {CANDIDATE}",
        f"remove ConfigMap {CANDIDATE}",
        f"release ConfigMap {STABLE}",
        f"release Deployment {STABLE}",
        "release HTTPRoute support",
        f"release Service {STABLE}",
        "release Service support",
    ]


def test_all_traffic_returns_and_what_others_wrote_stays_theirs() -> None:
    rules = ({STABLE: 75, CANDIDATE: 25}, {STABLE: 75, CANDIDATE: 25})
    left = canary(children={("HTTPRoute", "support"): route(*rules)})
    [action] = next_stage(left).actions
    assert isinstance(action, Apply)
    assert action.version == "7"
    manifest = action.manifest
    assert manifest["metadata"]["uid"] == "uid-HTTPRoute-support"
    assert "theirs" not in manifest["metadata"]["labels"] | manifest["metadata"]["annotations"]
    backend = {"kind": "Service", "name": STABLE, "port": 80, "weight": 100}
    assert [one["backendRefs"] for one in manifest["spec"]["rules"]] == [[backend]] * 2
    assert manifest["spec"]["rules"][0]["matches"] == [{"path": {"value": "/"}}]
    assert manifest["spec"]["parentRefs"] == [{"name": "public"}]


@pytest.mark.parametrize("selector", [{}, {"turnout.dev/version": CANDIDATE}])
def test_by_replica_ratio_the_service_leads_to_stable_again(selector: dict[str, str]) -> None:
    both = {("Service", "support"): own_service(**selector)}
    left = without(canary(children=both), ("HTTPRoute", "support"))
    [action] = next_stage(left).actions
    assert isinstance(action, Apply)
    assert action.manifest["spec"]["selector"]["turnout.dev/version"] == STABLE
    assert action.manifest["spec"]["ports"] == [{"port": 80}]
    assert "clusterIP" not in action.manifest["spec"]


def test_an_agent_that_was_taken_off_the_air_stays_off() -> None:
    stopped = {
        ("HTTPRoute", "support"): route({"support": 100}),
        ("Service", "support"): own_service("stopped"),
    }
    left = canary(children=stopped, policy=DeletionPolicy.ORPHAN)
    assert "return" not in " ".join(course_of(left))


def test_an_orphans_traffic_stays_with_who_serves_until_stable_can() -> None:
    alone = canary(policy=DeletionPolicy.ORPHAN, ready=frozenset({CANDIDATE}))
    assert next_stage(alone) == Stage((), PATIENCE)
    assert next_stage(without(alone, ready=frozenset({STABLE}))).again_in == AT_ONCE


def test_what_is_removed_anyway_does_not_wait_for_stable() -> None:
    [action] = next_stage(canary(ready=frozenset({CANDIDATE}))).actions
    assert isinstance(action, Remove)
    assert action.target.kind == "HTTPRoute"


def test_a_route_without_backends_has_nothing_to_return() -> None:
    left = canary(children={("HTTPRoute", "support"): route({})})
    assert course_of(left)[0] == "remove HTTPRoute support"


def test_pods_wait_as_long_as_the_slowest_of_them_may_take() -> None:
    serving = [key for key in canary().children if key[0] in {"HTTPRoute", "Service"}]
    slow = {("Deployment", CANDIDATE): deployment(CANDIDATE, 90)}
    left = without(canary(children=slow), *serving, idle=20.0)
    assert next_stage(left) == Stage((), timedelta(seconds=70))


def test_a_pod_that_says_nothing_gets_the_time_that_kubernetes_gives() -> None:
    left = Left(
        "demo",
        "support",
        {("Deployment", STABLE): deployment(STABLE, None)},
        ready=frozenset({STABLE}),
    )
    assert next_stage(left) == Stage((), timedelta(seconds=30))


def test_nobody_waits_for_pods_that_are_not_there() -> None:
    assert "drain" not in course_of(canary(ready=frozenset()))


def test_a_policy_seen_on_the_agent_wins_over_its_childrens() -> None:
    says = {"annotations": {"turnout.dev/deletion-policy": "Orphan"}}
    children = {("Deployment", STABLE): child("Deployment", STABLE, **says)}
    assert canary(children=children).orphaned
    assert not canary(children=children, policy=DeletionPolicy.DELETE).orphaned


def test_a_content_map_is_asked_only_where_nothing_else_is_left() -> None:
    says = {"annotations": {"turnout.dev/deletion-policy": "Orphan"}}
    content = {("ConfigMap", STABLE): child("ConfigMap", STABLE, **says)}
    assert not canary(children=content).orphaned
    assert Left("demo", "support", content).orphaned


def test_only_what_leads_traffic_makes_an_agent_untouched() -> None:
    assert canary().untouched
    pods = {("Deployment", STABLE): deployment(STABLE)}
    assert not Left("demo", "support", pods).untouched


def test_an_orphan_leads_nobody_to_what_goes_once_its_candidates_service_went() -> None:
    orphan = canary(policy=DeletionPolicy.ORPHAN)
    assert orphan.leads()
    assert not without(orphan, ("Service", CANDIDATE)).leads()
    assert canary().leads()
