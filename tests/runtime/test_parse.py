"""What was stored under another schema is named by field, value and mend, and never raised."""

from typing import Any

import pytest

from tests.support.manifests import agent, prompt
from turnout.api.agent import Agent, AgentPhase
from turnout.api.prompt import Prompt
from turnout.api.rollout import AgentRollout
from turnout.core.reasons import Reason
from turnout.core.world import Unread
from turnout.errors import Invalid
from turnout.runtime.parse import parse


def changed(document: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return document | {"spec": document["spec"] | spec}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Assistant", "spec.role is Assistant: "),
        ("\u202eevil\n", "spec.role is \\u202eevil\\n: "),
        ("x" * 999, f"spec.role is {'x' * 63}…: "),
        (7, "spec.role is 7: "),
        (["System"], "spec.role is ['System']: "),
    ],
)
def test_a_field_that_cannot_be_read_is_named_with_its_value_and_the_mend(
    value: object, shown: str
) -> None:
    found = parse(Prompt, changed(prompt(), role=value))
    assert isinstance(found, Unread)
    assert found.reason is Reason.INVALID_SPEC
    assert found.message.startswith(f"{shown}Input should be 'System', ")
    assert found.message.endswith("; change it, or run the operator that its CRDs came with")


def test_a_field_that_is_missing_is_named() -> None:
    broken = prompt()
    del broken["spec"]["format"]
    found = parse(Prompt, broken)
    assert isinstance(found, Unread)
    assert found.message.startswith("spec.format: Field required; ")


def test_what_cannot_be_decoded_may_pass_by_itself() -> None:
    found = parse(Prompt, Invalid("NestedTooDeep", "nested too deep"))
    assert found == Unread("nested too deep", Reason.RESOLVE_ERROR)


def test_a_word_of_another_operator_in_a_status_hides_nothing_of_the_spec() -> None:
    status = {"phase": "Dreaming", "lastRollout": 7, "conditions": [{"type": "Odd"}]}
    found = parse(Agent, agent() | {"status": status})
    assert isinstance(found, Agent)
    assert found.status.last_rollout == 7
    assert found.status.phase is AgentPhase.PENDING
    assert not found.status.conditions


def test_a_status_that_is_no_object_is_told() -> None:
    found = parse(Agent, agent() | {"status": 7})
    assert isinstance(found, Unread)
    assert found.message.startswith("status is 7: ")


def test_a_record_is_never_read_in_part() -> None:
    record = {"metadata": {"name": "support-r1"}, "spec": {}, "status": {"phase": "Dreaming"}}
    assert isinstance(parse(AgentRollout, record), Unread)


def stored(uid: str, version: str) -> dict[str, Any]:
    document = agent()
    return document | {"metadata": document["metadata"] | {"uid": uid, "resourceVersion": version}}


def test_all_who_look_at_one_version_of_an_object_hold_one_value() -> None:
    seen = parse(Agent, stored("one", "7"))
    assert parse(Agent, stored("one", "7")) is seen
    assert parse(Agent, stored("one", "8")) is not seen
    assert parse(Agent, stored("two", "7")) is not seen
    assert parse(Agent, agent()) is not parse(Agent, agent())


def test_values_share_the_names_of_their_fields_and_a_changed_copy_has_its_own() -> None:
    one, two = parse(Agent, stored("one", "7")), parse(Agent, stored("two", "7"))
    assert isinstance(one, Agent)
    assert isinstance(two, Agent)
    assert one.spec.model_fields_set is two.spec.model_fields_set
    names = set(one.spec.model_fields_set)
    changed_copy = one.spec.model_copy(update={"revision_history_limit": 3, "paused": True})
    assert changed_copy.model_fields_set > names
    assert one.spec.model_fields_set == names == two.spec.model_fields_set
