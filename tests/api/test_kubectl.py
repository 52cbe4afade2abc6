"""What people see of our kinds with kubectl alone."""

from collections.abc import Iterator

import pytest

from tests.api.documents import DIGEST, OTHER_DIGEST, good
from tests.api.server import ApiServer
from turnout.api.kinds import KINDS, Kind

pytestmark = pytest.mark.light


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def stored(server: ApiServer, request: pytest.FixtureRequest) -> Iterator[Kind]:
    kind: Kind = request.param
    with server.holding(good(kind.name)):
        yield kind


@pytest.fixture
def agent(server: ApiServer) -> Iterator[ApiServer]:
    with server.holding(good("Agent")):
        yield server


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_is_established_and_structural(server: ApiServer, kind: Kind) -> None:
    conditions = server.conditions(kind.plural)
    assert conditions == {"NamesAccepted": "True", "Established": "True"}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_is_listed_under_its_category_and_short_name(server: ApiServer, kind: Kind) -> None:
    listed = server.kubectl("api-resources", "--categories=turnout", "--no-headers")
    rows = {line.split()[0]: line.split()[1] for line in listed.splitlines()}
    assert rows[kind.plural] == kind.short_name


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("agents.turnout.dev", "versioned and rolled out as one"),
        ("agents.turnout.dev.spec.traffic", "How requests reach the agent"),
        ("agents.turnout.dev.spec.traffic", "HTTPRoute divides requests by weight"),
        ("agents.turnout.dev.spec.replicas", "leave it out of Git"),
        ("agents.turnout.dev.spec.template.spec.containers", "<[]Object>"),
        ("agents.turnout.dev.spec.gate.failures.count", "are a Fail"),
        ("agentrollouts.turnout.dev.spec.abort", "cannot be taken back"),
        ("rolloutstrategies.turnout.dev.spec.strategy.steps.approve", "Number of different people"),
        ("metrictemplates.turnout.dev.spec.ratio", "good and bad"),
    ],
)
def test_explain_reads_well(server: ApiServer, path: str, words: str) -> None:
    assert words in " ".join(server.kubectl("explain", path).split())


def test_get_shows_a_rollout_on_one_line(agent: ApiServer) -> None:
    status = {
        "phase": "Progressing",
        "summary": "task-success 96.1% ok",
        "stable": {"version": "support-9c41e07b2d", "digest": DIGEST},
        "candidate": {"version": "support-e07b55a9c1", "digest": OTHER_DIGEST, "weight": 25},
        "rollout": {"name": "support-r14", "number": 14, "step": 3, "steps": 6, "progress": "3/6"},
    }
    agent.patch_status("Agent", "support", status)
    head, line = agent.kubectl("get", "agents.turnout.dev", "support").splitlines()
    columns = ["NAME", "PHASE", "STABLE", "CANDIDATE", "STEP", "WEIGHT", "GATE", "AGE"]
    assert head.split() == columns
    shown = "support Progressing support-9c41e07b2d support-e07b55a9c1 3/6 25 task-success 96.1% ok"
    assert " ".join(line.split()).startswith(shown)


def test_every_kind_shows_its_columns(server: ApiServer, stored: Kind) -> None:
    head = server.kubectl("get", f"{stored.plural}.turnout.dev", "-o", "wide").splitlines()[0]
    assert set(head.split()) == {"NAME", *(column.name for column in stored.columns)}


def test_a_rollout_shows_who_asked_last(server: ApiServer) -> None:
    wishes = [
        {"action": "Pause", "by": by, "seenAt": "2026-01-02T12:00:00.123456Z", "outcome": "Applied"}
        for by in ("ada", "bob")
    ]
    status = {"intents": wishes, "phase": "Paused"}
    with server.holding(good("AgentRollout")):
        server.patch_status("AgentRollout", "support-r14", status)
        line = server.kubectl("get", "tar", "support-r14", "-o", "wide", "--no-headers")
    assert line.split()[:5] == [
        "support-r14",
        "support",
        "support-9c41e07b2d",
        "support-e07b55a9c1",
        "Paused",
    ]
    assert "bob" in line.split()


def test_wide_adds_what_a_line_has_no_room_for(agent: ApiServer) -> None:
    head, line = agent.kubectl("get", "tagent", "support", "-o", "wide").splitlines()
    assert {"READY", "ROLLOUT", "MODEL", "MESSAGE"} <= set(head.split())
    assert "gpt-5-mini" in line


def test_the_plain_apply_of_a_crd_has_room_for_its_annotation(server: ApiServer) -> None:
    """`kubectl apply` keeps the whole document in an annotation of at most 256 KiB."""
    kept = server.kubectl(
        "get",
        "crd",
        "agents.turnout.dev",
        "-o",
        r"jsonpath={.metadata.annotations.kubectl\.kubernetes\.io/last-applied-configuration}",
    )
    assert 0 < len(kept.encode()) < 262_144
