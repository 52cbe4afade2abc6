"""What people read on an object that this operator cannot read."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from turnout.core.unread import refusal

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WHY = "spec.role is Assistant: Input should be 'System'; change it"


def refused(kind: str, before: dict[str, Any] | None = None, *users: str) -> dict[str, Any]:
    return refusal(kind, before or {}, users, WHY, generation=7, now=NOW)


def conditions(status: dict[str, Any]) -> dict[str, str]:
    return {one["type"]: f"{one['status']} {one['reason']}" for one in status["conditions"]}


def told(kind: str, status: str, generation: int = 3) -> dict[str, Any]:
    return {
        "type": kind,
        "status": status,
        "reason": "Told",
        "message": "before",
        "observedGeneration": generation,
        "lastTransitionTime": "2025-12-31T00:00:00Z",
    }


def test_an_agent_is_degraded_and_says_why() -> None:
    status = refused("Agent")
    assert (status["phase"], status["summary"], status["observedGeneration"]) == (
        "Degraded",
        WHY,
        7,
    )
    assert conditions(status) == {
        "Accepted": "False InvalidSpec",
        "Progressing": "False InvalidSpec",
        "Ready": "False InvalidSpec",
        "Stalled": "True InvalidSpec",
        "ResolvedRefs": "Unknown Pending",
        "ContentPinned": "Unknown Pending",
        "Available": "Unknown Pending",
        "Programmed": "Unknown Pending",
        "GatesPassing": "Unknown Pending",
    }
    assert status["conditions"][0]["message"] == WHY


def test_an_agent_that_serves_keeps_what_was_concluded_of_it() -> None:
    before = {
        "stable": {"version": "support-9c41e07b2d"},
        "conditions": [
            told("Ready", "True"),
            told("Available", "True"),
            told("Reconciling", "True"),
        ],
    }
    status = refused("Agent", before)
    assert status["stable"] == before["stable"]
    found = conditions(status)
    assert (found["Ready"], found["Available"]) == ("True Told", "True Told")
    assert "Reconciling" not in found
    [ready] = (one for one in status["conditions"] if one["type"] == "Ready")
    assert ready["observedGeneration"] == 3


@pytest.mark.parametrize("kind", ["Prompt", "ToolRegistry", "AgentPolicy"])
def test_content_rolls_out_nowhere_and_names_who_waits_for_it(kind: str) -> None:
    before = {"digest": "sha256:old", "usedBy": [{"agent": "support", "state": "Promoted"}]}
    status = refused(kind, before, "billing", "support")
    found = conditions(status)
    assert found["RolledOut"] == found["Ready"] == "False InvalidSpec"
    assert found.get("Resolved") == ("Unknown Pending" if kind != "AgentPolicy" else None)
    assert "digest" not in status
    assert status["usedBy"] == [
        {"agent": "billing", "state": "Pending"},
        {"agent": "support", "state": "Pending"},
    ]


@pytest.mark.parametrize("kind", ["RolloutStrategy", "MetricTemplate"])
def test_what_agents_only_name_tells_by_whom(kind: str) -> None:
    status = refused(kind, None, "support")
    assert status["usedBy"] == [{"agent": "support"}]
    assert status.keys() == {"observedGeneration", "conditions", "usedBy"}
    refusals = {
        "Accepted": "False InvalidSpec",
        "Ready": "False InvalidSpec",
        "Stalled": "True InvalidSpec",
    }
    more = {"SeriesFound": "Unknown Pending"} if kind == "MetricTemplate" else {}
    assert conditions(status) == refusals | more


def test_users_beyond_the_list_are_counted() -> None:
    status = refused("Prompt", None, *(f"a{number}" for number in range(300)))
    assert (len(status["usedBy"]), status["truncated"]) == (256, 44)
    assert "truncated" not in refused("Prompt", status, "support")


def test_saying_it_again_changes_nothing() -> None:
    before = {"conditions": [told("Programmed", "True"), {"type": "Broken"}]}
    first = refused("Agent", before)
    later = refusal("Agent", first, (), WHY, generation=7, now=NOW + timedelta(hours=1))
    assert later == first
