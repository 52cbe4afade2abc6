"""What people see of our kinds with kubectl alone."""

from collections.abc import Iterator

import pytest

from tests.api.documents import DIGEST, OTHER_DIGEST, good
from tests.api.server import ApiServer
from turnout.api.kinds import KINDS, Kind

pytestmark = pytest.mark.light


@pytest.fixture
def agent(server: ApiServer) -> Iterator[ApiServer]:
    assert server.create(good("Agent"), keep=True).accepted
    yield server
    server.delete("Agent", "support")


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
        ("rolloutstrategies.turnout.dev.spec.strategy.steps.approve", "number of different people"),
        ("metrictemplates.turnout.dev.spec.ratio.good", "good included"),
    ],
)
def test_explain_reads_well(server: ApiServer, path: str, words: str) -> None:
    explained = " ".join(server.kubectl("explain", path).split())
    if "good" in path or "approve" in path:
        parent = path.rpartition(".")[0]
        explained += " ".join(server.kubectl("explain", parent, "--recursive=false").split())
    assert words.lower() in explained.lower()


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
