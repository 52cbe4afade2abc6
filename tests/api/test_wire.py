"""Wire types: what comes in goes out again, and scalars mean what they say."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from tests.api.documents import DIGEST, SPECS, changed, good
from turnout.api import base
from turnout.api.agent import Agent, AgentPhase, AgentStatus, StableStatus
from turnout.api.base import Condition, Count, Share, Timestamp, as_timedelta, fraction, seconds
from turnout.api.kinds import KINDS
from turnout.api.rollout import AgentRollout, AgentRolloutStatus, Approval, RolloutPhase
from turnout.api.strategy import Gate, RolloutStrategy, Step
from turnout.api.tools import ToolRegistry

MODELS = {kind.name: kind.model for kind in KINDS}
NOON = datetime(2026, 1, 2, 12, 0, 0, 123456, tzinfo=UTC)


def test_there_are_eight_kinds() -> None:
    assert MODELS.keys() == SPECS.keys()


@pytest.mark.parametrize("name", SPECS)
def test_a_document_says_the_same_after_a_round_trip(name: str) -> None:
    parsed = MODELS[name].model_validate(good(name))
    assert MODELS[name].model_validate(parsed.to_wire()) == parsed


@pytest.mark.parametrize("name", SPECS)
def test_a_document_keeps_every_field_that_was_written(name: str) -> None:
    def within(small: Any, large: Any) -> bool:
        if isinstance(small, dict):
            return all(key in large and within(small[key], large[key]) for key in small)
        if isinstance(small, list):
            return len(small) == len(large) and all(map(within, small, large))
        return bool(small == large)

    assert within(good(name), MODELS[name].model_validate(good(name)).to_wire())


@pytest.mark.parametrize("name", SPECS)
def test_fields_of_a_newer_schema_are_passed_over(name: str) -> None:
    newer = changed(good(name), "spec.fieldOfTomorrow", {"a": 1})
    assert MODELS[name].model_validate(newer) == MODELS[name].model_validate(good(name))


@pytest.mark.parametrize("name", SPECS)
def test_an_object_without_status_has_an_empty_one(name: str) -> None:
    parsed = MODELS[name].model_validate(good(name))
    assert parsed.model_dump()["status"]["conditions"] == ()


def test_another_group_or_kind_is_refused() -> None:
    with pytest.raises(ValidationError):
        Agent.model_validate(changed(good("Agent"), "apiVersion", "turnout.dev/v1beta1"))
    with pytest.raises(ValidationError):
        Agent.model_validate(changed(good("Agent"), "kind", "Prompt"))


@pytest.mark.parametrize("field", ["by", "step", "reason"])
def test_values_are_frozen(field: str) -> None:
    with pytest.raises(ValidationError):
        setattr(Approval(step="ship", by="ada"), field, "bob")


def test_fields_are_set_by_their_python_names_and_written_in_camel_case() -> None:
    status = AgentStatus(phase=AgentPhase.HEALTHY, last_rollout=4)
    assert status.to_wire()["lastRollout"] == 4


def test_a_document_has_no_nulls() -> None:
    assert "stable" not in AgentStatus().to_wire()


def test_an_endless_pause_stays_a_pause() -> None:
    step = Step.model_validate({"pause": {}})
    assert step.pause is not None
    assert step.to_wire() == {"pause": {}}


def test_where_a_version_came_from_is_called_from() -> None:
    spec = AgentRollout.model_validate(good("AgentRollout")).spec
    assert spec.from_ is not None
    assert spec.to_wire()["from"] == spec.from_.to_wire()


def test_a_rollout_is_made_with_a_list_that_approvals_can_be_added_to() -> None:
    assert AgentRollout.model_validate(good("AgentRollout")).to_wire()["spec"]["approvals"] == []


def test_defaults_hold_where_an_agent_says_little() -> None:
    little = changed(good("Agent"), "spec.deployment", {})
    spec = Agent.model_validate(little).spec
    assert spec.deployment.progress_deadline == "10m"
    assert spec.revision_history_limit == 10
    assert not spec.paused


def test_a_gate_that_says_little_looks_every_ten_seconds() -> None:
    required = {key: SPECS["RolloutStrategy"]["gate"][key] for key in ("mode", "metrics")}
    gate = Gate.model_validate({**required, "onInconclusive": "Hold"})
    assert (gate.interval, gate.bad_windows.count, gate.bad_windows.of) == ("10s", 3, 5)
    assert (gate.good_windows, gate.least_requests, gate.max_duration) == (3, 20, "2h")


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("5m", timedelta(minutes=5)),
        ("1h30m", timedelta(minutes=90)),
        ("168h", timedelta(days=7)),
        ("0s", timedelta(0)),
        ("500ms", timedelta(milliseconds=500)),
        ("1m500ms", timedelta(minutes=1, milliseconds=500)),
    ],
)
def test_a_duration_is_read_as_go_reads_it(text: str, length: timedelta) -> None:
    assert as_timedelta(text) == length
    assert seconds(text) == length.total_seconds()


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "-5m", "1.5h", "5m1h", "1d", "999999s"])
def test_other_texts_are_no_duration(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(base.Duration).validate_python(text)


@given(st.integers(0, 10_000))
def test_a_share_is_the_nearest_fraction(hundredths: int) -> None:
    """So that 19 good of 20 are not below 95 %."""
    text = f"{hundredths // 100}.{hundredths % 100:02d}%"
    assert TypeAdapter(Share).validate_python(text) == text
    assert fraction(text) == hundredths / 10_000


@given(st.integers(0, 10**12))
def test_a_whole_number_of_requests_has_no_decimals(number: int) -> None:
    assert base.count(number) == str(number)


@given(st.floats(0, 1e12))
def test_a_number_of_requests_is_kept_to_a_billionth(number: float) -> None:
    text = TypeAdapter(Count).validate_python(base.count(number))
    assert float(text) == pytest.approx(number, abs=1e-9, rel=1e-15)


def test_an_instant_is_written_in_microseconds_of_utc() -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=-5)))
    written = StableStatus(version="a-1", digest=DIGEST, since=elsewhere).to_wire()
    assert written["since"] == "2026-01-02T12:00:00.123456Z"


@pytest.mark.parametrize(
    "text",
    ["2026-01-02T12:00:00.123456Z", "2026-01-02T07:00:00.123456-05:00"],
)
def test_an_instant_is_read_into_utc(text: str) -> None:
    moment = TypeAdapter(Timestamp).validate_python(text)
    assert moment == NOON
    assert moment.tzinfo == UTC


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Timestamp).validate_python("2026-01-02T12:00:00")


@given(st.datetimes(NOON.replace(tzinfo=None), timezones=st.just(UTC)))
def test_an_instant_survives_a_round_trip(moment: datetime) -> None:
    status = AgentRolloutStatus(phase=RolloutPhase.HELD, started_at=moment)
    assert AgentRolloutStatus.model_validate(status.to_wire()).started_at == moment


@given(st.text(max_size=3000))
def test_a_long_message_is_cut_not_refused(text: str) -> None:
    condition = Condition.model_validate(
        {
            "type": "Ready",
            "status": "True",
            "reason": "AtRest",
            "lastTransitionTime": NOON,
            "message": text,
        }
    )
    assert len(condition.message) <= 1024
    assert condition.message == text or condition.message.endswith("…")


def test_a_number_of_requests_that_is_no_number_is_refused() -> None:
    for text in ("NaN", "-1", "1e3", ""):
        with pytest.raises(ValidationError):
            TypeAdapter(Count).validate_python(text)


def test_frozen_values_can_be_compared_and_kept_in_sets() -> None:
    strategy = RolloutStrategy.model_validate(good("RolloutStrategy")).spec
    assert len({strategy, strategy.model_copy()}) == 1


def test_a_registry_may_be_empty() -> None:
    empty = changed(good("ToolRegistry"), "spec", {})
    assert ToolRegistry.model_validate(empty).spec.tools == ()
