from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnout.adapters.documents import (
    AGENT,
    AGENT_ROLLOUT,
    CONFIG_MAP,
    DEPLOYMENT,
    HTTP_ROUTE,
    JOB,
    METRIC_TEMPLATE,
    POD,
    PROMPT,
    ROLLOUT_STRATEGY,
    SERVICE,
    Document,
    Kind,
    Ref,
)
from turnout.core.naming import AGENT_LABEL
from turnout.errors import Invalid
from turnout.runtime.kept import Kept
from turnout.runtime.store import Store

SUPPORT = Ref(AGENT, "shop", "support")
PROMPT_REF = Ref(PROMPT, "shop", "support-system")
UNDECODABLE = Invalid("Undecodable", "nested too deep")


def document(ref: Ref, version: int = 1, **content: Any) -> Document:
    metadata = {"name": ref.name, "namespace": ref.namespace, "resourceVersion": str(version)}
    metadata |= content.pop("metadata", {})
    return {"metadata": metadata, **content}


def child(kind: Kind, name: str, agent: str = "support", version: int = 1) -> tuple[Ref, Document]:
    ref = Ref(kind, "shop", name)
    return ref, document(ref, version, metadata={"labels": {"turnout.dev/agent": agent}})


def agent(version: int = 1, **spec: Any) -> Document:
    return document(SUPPORT, version, spec=spec)


def test_a_new_document_is_news_and_is_found_again() -> None:
    store = Store()
    assert store.put(SUPPORT, agent(replicas=3)) == {SUPPORT}
    found = store.get(SUPPORT)
    assert isinstance(found, Mapping)
    assert found["spec"] == {"replicas": 3}


def test_an_older_document_never_replaces_a_newer_one() -> None:
    store = Store()
    store.put(SUPPORT, agent(10, replicas=3))
    assert store.put(SUPPORT, agent(9, replicas=1)) == frozenset()
    found = store.get(SUPPORT)
    assert isinstance(found, Mapping)
    assert found["spec"] == {"replicas": 3}


def test_versions_are_compared_as_numbers() -> None:
    store = Store()
    store.put(SUPPORT, agent(999, replicas=1))
    assert store.put(SUPPORT, agent(1000, replicas=2)) == {SUPPORT}


def test_a_new_version_of_the_same_content_is_no_news() -> None:
    store = Store()
    store.put(SUPPORT, agent(1, replicas=1))
    assert store.put(SUPPORT, agent(2, replicas=1)) == frozenset()
    assert store.put(SUPPORT, agent(1, replicas=9)) == frozenset()


def test_a_late_event_does_not_bring_back_what_was_deleted() -> None:
    store = Store()
    store.put(SUPPORT, agent(5))
    assert store.remove(SUPPORT, "7") == {SUPPORT}
    assert store.put(SUPPORT, agent(6)) == frozenset()
    assert store.get(SUPPORT) is None
    assert store.put(SUPPORT, agent(8)) == {SUPPORT}


def test_a_late_deletion_does_not_remove_a_successor() -> None:
    store = Store()
    store.put(SUPPORT, agent(8))
    assert store.remove(SUPPORT, "7") == frozenset()
    assert store.get(SUPPORT) is not None


def test_a_list_removes_what_it_lacks_and_spares_what_is_newer() -> None:
    store = Store()
    old, new = Ref(AGENT, "shop", "old"), Ref(AGENT, "shop", "new")
    store.put(old, document(old, 5, spec={}))
    store.put(new, document(new, 20, spec={}))
    assert store.replace(AGENT, {SUPPORT: agent(9)}, "10") == {SUPPORT, old}
    assert store.get(old) is None
    assert store.get(new) is not None


def test_a_list_of_one_namespace_leaves_the_others_alone() -> None:
    store = Store()
    elsewhere = Ref(AGENT, "bank", "support")
    store.put(elsewhere, document(elsewhere, 5, spec={}))
    assert store.replace(AGENT, {}, "10", namespace="shop") == frozenset()
    assert store.get(elsewhere) is not None


def test_a_child_bears_on_its_agent_and_is_found_by_it() -> None:
    store = Store()
    ref, deployment = child(DEPLOYMENT, "support-9c41e07b2d")
    assert store.put(ref, deployment) == {SUPPORT}
    assert set(store.children(SUPPORT, DEPLOYMENT)) == {ref}
    assert store.children(SUPPORT, POD) == {}
    assert store.remove(ref) == {SUPPORT}
    assert store.children(SUPPORT, DEPLOYMENT) == {}


def test_a_stomped_label_bears_on_the_agent_that_lost_the_child() -> None:
    store = Store()
    store.put(*child(DEPLOYMENT, "support-9c41e07b2d"))
    ref, stomped = child(DEPLOYMENT, "support-9c41e07b2d", agent="other", version=2)
    assert store.put(ref, stomped) == {SUPPORT, Ref(AGENT, "shop", "other")}
    assert store.children(SUPPORT, DEPLOYMENT) == {}


def test_a_rollout_belongs_to_the_agent_that_its_spec_names() -> None:
    store = Store()
    ref = Ref(AGENT_ROLLOUT, "shop", "support-r1")
    assert store.put(ref, document(ref, spec={"agent": "support"})) == {SUPPORT}
    assert set(store.children(SUPPORT, AGENT_ROLLOUT)) == {ref}


def test_a_shared_prompt_bears_on_itself_and_on_those_who_use_it() -> None:
    store = Store()
    store.put(SUPPORT, agent(promptRefs=[{"name": "support-system"}]))
    assert store.put(PROMPT_REF, document(PROMPT_REF, spec={})) == {PROMPT_REF, SUPPORT}
    assert store.users(PROMPT_REF) == (SUPPORT,)


CONFIG = Ref(CONFIG_MAP, "shop", "texts")
FROM_CONFIG = {"configMapKeyRef": {"name": "texts", "key": "system.txt"}}


def listed(version: int = 1, name: str = "texts", **labels: str) -> Document:
    ref = Ref(CONFIG_MAP, "shop", name)
    return document(ref, version, metadata={"labels": labels} if labels else {})


def test_a_new_version_of_a_config_map_bears_on_its_prompts_and_their_agents() -> None:
    store = Store()
    store.put(SUPPORT, agent(promptRefs=[{"name": "support-system"}]))
    store.put(PROMPT_REF, document(PROMPT_REF, spec=FROM_CONFIG))
    assert store.hear(CONFIG, listed(1), "1") == {SUPPORT, PROMPT_REF}
    assert store.hear(CONFIG, listed(2), "2") == {SUPPORT, PROMPT_REF}
    assert store.hear(CONFIG, listed(2), "2") == frozenset()
    assert store.remove(CONFIG, "3") == {SUPPORT, PROMPT_REF}


def test_others_config_maps_are_kept_only_once_somebody_refers_to_them() -> None:
    store = Store()
    others, ours = Ref(CONFIG_MAP, "shop", "others"), Ref(CONFIG_MAP, "shop", "ours")
    labels = {AGENT_LABEL: "support"}
    heard = {others: listed(1, "others"), ours: listed(1, "ours", **labels), CONFIG: listed(1)}
    assert store.replace(CONFIG_MAP, heard, "5") == {SUPPORT}
    assert store.all(CONFIG_MAP).keys() == {ours}
    store.put(PROMPT_REF, document(PROMPT_REF, spec=FROM_CONFIG))
    assert store.hear(CONFIG, listed(6), "6") == {PROMPT_REF}
    store.remove(PROMPT_REF)
    assert store.hear(CONFIG, listed(7), "7") == frozenset()
    assert store.all(CONFIG_MAP).keys() == {ours, CONFIG}


def test_a_config_map_that_cannot_be_read_is_kept_as_such() -> None:
    store = Store()
    store.hear(CONFIG, UNDECODABLE, "4")
    assert store.get(CONFIG) == UNDECODABLE


def test_the_status_of_a_shared_prompt_bears_on_itself_alone() -> None:
    store = Store()
    store.put(SUPPORT, agent(promptRefs=[{"name": "support-system"}]))
    spec = {"text": "Be kind."}
    store.put(PROMPT_REF, document(PROMPT_REF, spec=spec))
    told = document(PROMPT_REF, 2, spec=spec, status={"usedBy": [{"agent": "support"}]})
    assert store.put(PROMPT_REF, told) == {PROMPT_REF}


def test_a_dropped_reference_bears_on_the_object_that_lost_its_user() -> None:
    store = Store()
    store.put(SUPPORT, agent(promptRefs=[{"name": "support-system"}]))
    assert store.put(SUPPORT, agent(2)) == {SUPPORT, PROMPT_REF}
    assert store.users(PROMPT_REF) == ()


def test_what_has_no_status_of_ours_is_never_woken() -> None:
    store = Store()
    store.hear(CONFIG, listed(1), "1")
    assert store.put(PROMPT_REF, document(PROMPT_REF, spec=FROM_CONFIG)) == {PROMPT_REF}
    assert store.put(PROMPT_REF, document(PROMPT_REF, 2, spec={})) == {PROMPT_REF}
    job = Ref(JOB, "shop", "theirs")
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "controller": True}
    assert store.put(job, document(job, metadata={"ownerReferences": [owner]})) == frozenset()


def test_a_template_reaches_agents_through_their_strategy() -> None:
    store = Store()
    strategy = Ref(ROLLOUT_STRATEGY, "shop", "careful")
    template = Ref(METRIC_TEMPLATE, "shop", "refunds-ok")
    gate = {"metrics": [{"name": "a"}, {"name": "b", "templateRef": {"name": "refunds-ok"}}]}
    store.put(strategy, document(strategy, spec={"gate": gate}))
    store.put(SUPPORT, agent(strategyRef={"name": "careful"}))
    assert store.users(template) == (SUPPORT,)
    assert SUPPORT in store.put(template, document(template, spec={}))


def test_what_cannot_be_taken_stands_as_invalid_for_its_name_only() -> None:
    store = Store()
    poison = Ref(AGENT, "shop", "poison")
    assert store.replace(AGENT, {SUPPORT: agent(1), poison: UNDECODABLE}, "10") == {SUPPORT, poison}
    assert store.get(poison) == UNDECODABLE
    assert isinstance(store.get(SUPPORT), Mapping)
    assert store.replace(AGENT, {SUPPORT: agent(1), poison: UNDECODABLE}, "20") == frozenset()
    assert store.put(poison, document(poison, 21, spec={})) == {poison}


@pytest.mark.parametrize("spec", [None, 3, {"promptRefs": [3]}, {"policyRef": "x"}, []])
def test_a_document_of_the_wrong_shape_is_invalid(spec: Any) -> None:
    store = Store()
    store.put(SUPPORT, document(SUPPORT, spec=spec))
    assert isinstance(store.get(SUPPORT), Invalid)


def test_managers_of_a_route_itself_are_kept_and_others_dropped() -> None:
    store = Store()
    book = {"operation": "Apply", "time": "t", "fieldsV1": {"f:x": {}}}
    status = book | {"manager": "gateway", "subresource": "status"}
    fields = [book | {"manager": "argocd"}, status]
    route, service = Ref(HTTP_ROUTE, "shop", "support"), Ref(DEPLOYMENT, "shop", "support")
    store.put(route, document(route, metadata={"managedFields": fields}))
    store.put(service, document(service, metadata={"managedFields": fields}))
    kept, dropped = store.get(route), store.get(service)
    assert isinstance(kept, Mapping)
    assert isinstance(dropped, Mapping)
    assert kept["metadata"]["managedFields"] == [
        {"operation": "Apply", "time": "t", "manager": "argocd"}
    ]
    assert "managedFields" not in dropped["metadata"]


def test_a_pod_is_kept_without_its_spec_but_with_why_it_does_not_run() -> None:
    store = Store()
    ref = Ref(POD, "shop", "support-9c41e07b2d-x")
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "m" * 999}}
    status = {
        "phase": "Pending",
        "podIP": "10.0.0.1",
        "conditions": [{"type": "Ready", "status": "False", "lastProbeTime": None}],
        "containerStatuses": [{"name": "agent", "ready": False, "state": waiting, "lastState": {}}],
    }
    store.put(ref, document(ref, spec={"containers": [{"env": ["x"] * 99}]}, status=status))
    pod = store.get(ref)
    assert isinstance(pod, Mapping)
    assert "spec" not in pod
    assert pod["status"]["conditions"] == [{"type": "Ready", "status": "False"}]
    state = pod["status"]["containerStatuses"][0]["state"]["waiting"]
    assert state == {"reason": "ImagePullBackOff", "message": "m" * 256}


def test_content_of_config_maps_is_not_kept() -> None:
    store = Store()
    ref = Ref(CONFIG_MAP, "shop", "support-9c41e07b2d")
    store.put(ref, document(ref, data={"prompt": "x"}, immutable=True))
    config_map = store.get(ref)
    assert isinstance(config_map, Mapping)
    assert set(config_map) == {"metadata", "dataVersion"}


NAMES = st.sampled_from(["a", "b", "c"])
HISTORY = st.lists(st.tuples(NAMES, st.booleans()), min_size=1, max_size=20)


@given(history=HISTORY, data=st.data())
def test_events_in_any_order_and_a_last_list_end_in_the_newest_picture(
    history: list[tuple[str, bool]], data: st.DataObject
) -> None:
    """Each write of the history has the next version; True creates or changes, False deletes."""
    events = []
    for version, (name, alive) in enumerate(history, start=1):
        ref = Ref(AGENT, "shop", name)
        events.append((ref, document(ref, version, spec={"replicas": version}), alive))
    newest = {ref: item for ref, item, _ in events}
    alive_at_end = {ref: a for ref, _, a in events}
    truth = {ref: item for ref, item in newest.items() if alive_at_end[ref]}
    store = Store()
    for ref, item, alive in data.draw(st.permutations(events)):
        if alive:
            store.put(ref, item)
        else:
            store.remove(ref, item["metadata"]["resourceVersion"])
    store.replace(AGENT, truth, str(len(history)))
    for ref, item, _ in events:
        found = store.get(ref)
        wanted = truth.get(ref)
        assert (found is None) == (wanted is None)
        assert wanted is None or (isinstance(found, Mapping) and found["spec"] == wanted["spec"])
        assert item["metadata"]["name"] == ref.name


def test_a_document_is_read_from_what_is_kept_and_nobody_can_change_that() -> None:
    store = Store()
    store.put(SUPPORT, agent(promptRefs=[{"name": "system"}]))
    found = store.get(SUPPORT)
    assert isinstance(found, dict)
    found["spec"]["promptRefs"] = []
    again = store.all(AGENT)[SUPPORT]
    assert isinstance(again, dict)
    assert again["spec"] == {"promptRefs": [{"name": "system"}]}
    assert (len(store.all(AGENT)), list(store.all(AGENT))) == (1, [SUPPORT])


def test_phases_are_told_without_reading_documents() -> None:
    store = Store()
    for number, status in enumerate(({"phase": "Held"}, {"phase": "Held"}, {}, None)):
        ref = Ref(AGENT_ROLLOUT, "shop", f"support-r{number}")
        store.put(ref, document(ref, spec={"agent": "support"}, status=status))
    assert store.phases(AGENT_ROLLOUT) == {"Held", None}
    assert store.phases(AGENT) == set()
    store.put(ref, UNDECODABLE, "9")
    store.remove(Ref(AGENT_ROLLOUT, "shop", "support-r2"))
    assert store.phases(AGENT_ROLLOUT) == {"Held"}, "of what cannot be read nothing is known"


def test_owners_are_those_for_whom_something_was_made() -> None:
    store = Store()
    for name in ("one", "two"):
        store.put(*child(SERVICE, name))
    store.put(*child(SERVICE, "three", agent="search"))
    assert store.owners(SERVICE) == {SUPPORT, Ref(AGENT, "shop", "search")}
    assert store.owners(POD) == set()


def test_what_was_made_is_decoded_when_it_is_looked_into() -> None:
    store = Store()
    ref, service = child(SERVICE, "support")
    store.put(ref, service)
    (found,) = store.made(SUPPORT, SERVICE).values()
    assert found == store.child(ref)
    assert (found.version, found.metadata["name"]) == ("1", "support")
    kept = found.document
    assert isinstance(kept, Kept)
    assert kept.anew() == kept
    assert dict(kept) == store.get(ref)
    store.put(ref, UNDECODABLE, "9")
    assert store.made(SUPPORT, SERVICE) == {}
    assert store.child(ref) is None
    assert store.child(Ref(SERVICE, "shop", "none")) is None
