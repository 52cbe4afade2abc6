"""Looks of past rollouts, counted again from the samples of a provider."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner
from typing_extensions import override

from tests.support.manifests import GATE, kind, metric, strategy
from turnout.adapters.metrics import Metrics, SampleQuery, Series
from turnout.api.metric import MetricTemplate
from turnout.api.rollout import AgentRollout
from turnout.api.strategy import Gate, GateMetricType
from turnout.cli.app import app
from turnout.cli.exits import Exit
from turnout.cli.options import Samples
from turnout.cli.replay.archive import answer, chosen, fetched, provider_of
from turnout.cli.replay.fetched import Archive, Skipped
from turnout.cli.replay.gatefile import read_gate
from turnout.cli.replay.recorded import Look, read_looks
from turnout.errors import Invalid, MetricsUnavailable, NotFound

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
STABLE, CANDIDATE = "support-1111111111", "support-2222222222"
POD = "5d8f7c9b4d-abcde"
SCRAPE = 5.0
NO_SAMPLES = "the provider has no such samples of its pods at that time"
Rates = tuple[float, float]


class Counters(Metrics):
    """Counters that rise evenly: requests a second that went well and that failed, by pod.

    Attributes:
        since: When a pod appeared, in seconds after noon; long before where it is not named.
        absent: A metric that has no series.
        restarts: When a pod's counters began at zero again.
    """

    def __init__(self) -> None:
        self.pods: dict[str, Rates] = {}
        self.since: dict[str, float] = {}
        self.restarts: dict[str, float] = {}
        self.problem: str | None = None
        self.absent = ""
        self.asked: list[SampleQuery] = []

    @override
    async def samples(self, provider: str, query: SampleQuery) -> Sequence[Series]:
        self.asked.append(query)
        return [
            Series("demo", pod, {"outcome": outcome}, tuple(samples), problem=self.problem)
            for pod, rates in self.pods.items()
            for outcome, rate in zip(("success", "failure"), rates, strict=True)
            if query.metric != self.absent and (samples := list(self._counted(pod, rate, query)))
        ]

    def _counted(self, pod: str, rate: float, query: SampleQuery) -> Iterator[tuple[float, float]]:
        noon, begin = NOON.timestamp(), self.since.get(pod, -9000.0)
        at = (query.end - query.lookback).timestamp() // SCRAPE * SCRAPE + SCRAPE
        while at <= query.end.timestamp():
            zero = max(
                begin, *(one for one in [self.restarts.get(pod, begin)] if one <= at - noon), begin
            )
            if at - noon > begin:
                yield at, rate * (at - noon - zero)
            at += SCRAPE


def rollout(number: int = 2, minutes: float = 2, **status: Any) -> AgentRollout:
    spec: dict[str, Any] = {
        "agent": "support",
        "number": number,
        "trigger": "ContentChanged",
        "from": {"version": STABLE, "digest": "sha256:" + "1" * 64},
        "to": {"version": CANDIDATE, "digest": "sha256:" + "2" * 64},
        "strategy": strategy(),
        "gate": GATE,
    }
    document = kind("AgentRollout", f"support-r{number}", spec)
    known = {
        "weights": {"desired": 25, "firstAt": NOON.isoformat()},
        "finishedAt": (NOON + timedelta(minutes=minutes)).isoformat(),
    }
    return AgentRollout.model_validate(document | {"status": known | status})


def archive(counters: Metrics, *templates: Mapping[str, Any]) -> Archive:
    found = [MetricTemplate.model_validate(one) for one in templates or [metric()]]
    return Archive(counters, SCRAPE, {one.metadata.name: one for one in found})


def both() -> Counters:
    counters = Counters()
    counters.pods = {f"{STABLE}-{POD}": (2.7, 0.3), f"{CANDIDATE}-{POD}": (0.8, 0.2)}
    return counters


async def looks(counters: Metrics, *rollouts: AgentRollout) -> list[Look]:
    return await fetched(archive(counters), rollouts or [rollout()], NOON + timedelta(hours=9))


def counts(look: Look) -> list[float]:
    arms = (look.stable, look.candidate)
    return [round(number, 6) for one in arms for number in (one.good, one.total)]


async def test_every_interval_of_a_rollout_is_one_look() -> None:
    found = await looks(both())
    assert [one.at for one in found[:2]] == ["2026-01-01T12:00:10Z", "2026-01-01T12:00:20Z"]
    assert len(found) == 12
    assert {(one.stream, one.metric) for one in found} == {("support-r2", "task-success")}
    assert [counts(one) for one in found] == [[27, 30, 8, 10]] * 12


async def test_pods_of_others_are_not_counted() -> None:
    counters = both()
    for name in ("other-1111111111", f"{STABLE}x", "support", f"{CANDIDATE}-extra"):
        counters.pods[f"{name}-{POD}"] = (50, 50)
    assert [counts(one) for one in await looks(counters)] == [[27, 30, 8, 10]] * 12


async def test_a_pod_that_appears_and_one_that_restarts_lose_nothing() -> None:
    counters = both()
    second = f"{CANDIDATE}-{POD}".replace("abcde", "fghij")
    counters.pods[second] = (1.0, 0.0)
    counters.since[second] = 30.0
    counters.restarts[f"{STABLE}-{POD}"] = 55.001  # just after a scrape
    found = await looks(counters)
    assert [counts(one)[3] for one in found] == [10, 10, 10] + [20] * 9
    assert [counts(one)[1] for one in found] == pytest.approx([30] * 12, abs=0.01)


async def test_a_long_rollout_is_asked_for_in_pieces_that_join_without_a_seam() -> None:
    counters = both()
    found = await looks(counters, rollout(minutes=100))
    assert len(counters.asked) == 4
    assert [counts(one) for one in found] == [[27, 30, 8, 10]] * 600


async def test_what_has_no_looks_is_told_with_its_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = rollout(1).model_copy(
        update={"spec": rollout(1).spec.model_copy(update={"from_": None})}
    )
    assert await looks(Counters(), first, rollout(weights=None), rollout(3)) == []
    assert await fetched(archive(both(), metric("another")), [rollout()], NOON) == []
    assert capsys.readouterr().err.splitlines() == [
        "note: support-r1 is left out: it was the first one: nothing served beside it",
        "note: support-r2 is left out: its candidate never had traffic",
        f"note: support-r3, metric task-success is left out: {NO_SAMPLES}",
        "note: support-r2, metric task-success is left out: MetricTemplate tasks is gone",
    ]


async def test_a_rollout_that_runs_is_read_until_now() -> None:
    found = await fetched(archive(both()), [rollout(finishedAt=None)], NOON + timedelta(minutes=1))
    assert len(found) == 6


async def test_a_cost_has_no_looks(capsys: pytest.CaptureFixture[str]) -> None:
    known = rollout()
    cost = known.spec.gate.metrics[0].model_copy(
        update={"type": GateMetricType.COST_PER_SUCCESS, "max_increase": "15%"}
    )
    gate = known.spec.gate.model_copy(update={"metrics": (cost,)})
    spent = known.model_copy(update={"spec": known.spec.model_copy(update={"gate": gate})})
    assert await looks(both(), spent) == []
    assert "a cost per success needs sums of money" in capsys.readouterr().err


async def test_series_that_name_versions_are_counted_by_them() -> None:
    counters = both()
    counters.pods = {STABLE: (2.7, 0.3), CANDIDATE: (0.8, 0.2)}
    template = metric()
    template["spec"]["versionLabel"] = "service"
    found = await fetched(archive(counters, template), [rollout()], NOON)
    assert [counts(one) for one in found] == [[27, 30, 8, 10]] * 12
    assert {one.version_label for one in counters.asked} == {"service"}


async def test_a_counter_that_is_not_there_is_no_zero() -> None:
    template = metric()
    template["spec"]["ratio"]["good"]["metric"] = "agent_errors_total"
    template["spec"]["direction"] = "LowerIsBetter"
    counters = both()
    counters.absent = "agent_errors_total"
    with pytest.raises(MetricsUnavailable, match="not the same as a zero"):
        await fetched(archive(counters, template), [rollout()], NOON)


async def test_a_series_that_says_it_is_anothers_is_not_believed() -> None:
    counters = both()
    counters.problem = "a series names another pod"
    with pytest.raises(MetricsUnavailable, match="names another pod"):
        await looks(counters)


async def test_printed_looks_are_read_again_and_judged_alike(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = await looks(both(), rollout(minutes=20))
    assert answer(found, None) is Exit.DONE
    (tmp_path / "looks.jsonl").write_text(capsys.readouterr().out)
    (tmp_path / "gate.yaml").write_text("metrics: [{name: task-success, type: SuccessRate}]")
    gate = read_gate(str(tmp_path / "gate.yaml"))
    assert read_looks(str(tmp_path / "looks.jsonl"), gate) == found
    answer(found, gate)
    told = capsys.readouterr()
    assert json.loads(told.out.splitlines()[-1])["verdict"] == "Fail"
    assert told.err == "1 streams: 0 Pass, 1 Fail, 0 Continue\n"


async def test_metrics_that_the_gate_lacks_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gate.yaml").write_text("metrics: [{name: latency, type: Latency}]")
    answer(await looks(both()), read_gate(str(tmp_path / "gate.yaml")))
    assert capsys.readouterr().err.splitlines() == [
        "note: metric task-success is left out: the gate does not have it",
        "note: metric latency is left out: no look has it",
        "0 streams: 0 Pass, 0 Fail, 0 Continue",
    ]


def test_rollouts_are_named_as_elsewhere() -> None:
    known = [rollout(2), rollout(3)]
    assert chosen(known, None) == known
    assert chosen(known, "r3") == chosen(known, "support-r3") == known[1:]
    with pytest.raises(NotFound, match="there is no rollout r4; there are r2, r3"):
        chosen(known, "r4")


def test_an_address_that_is_none_is_refused_by_its_option() -> None:
    assert provider_of(Samples("http://localhost:9090")).scrape_interval == timedelta(seconds=15)
    with pytest.raises(Invalid, match="InvalidOption: --from-prometheus: String should match"):
        provider_of(Samples("localhost:9090"))
    with pytest.raises(Invalid, match="InvalidOption: --scrape-interval: Input should be"):
        provider_of(Samples("http://localhost:9090", scrape="soon"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["support"], "give the gate to judge by: --config FILE"),
        (["looks.jsonl", "--print-looks"], "has a meaning with --from-prometheus only"),
    ],
)
def test_options_that_do_not_go_together_are_refused(words: list[str], said: str) -> None:
    answer = CliRunner().invoke(app, ["gate", "replay", *words], env={"COLUMNS": "200"})
    assert answer.exit_code == 2
    assert said in answer.output


def by_profile(matched: str | None) -> AgentRollout:
    asked = {**GATE["metrics"][0], "profile": "OpenTelemetryGenAI"}
    del asked["templateRef"]
    gate = Gate.model_validate(GATE | {"metrics": [asked]})
    one = rollout(gate={"metrics": [{"name": "task-success", "matched": matched}]})
    return one.model_copy(update={"spec": one.spec.model_copy(update={"gate": gate})})


async def test_of_a_profile_what_its_record_says_is_counted_again() -> None:
    counters = both()
    found = [one async for one in archive(counters).looks(by_profile("Outcome"), NOON)]
    assert found
    assert not any(isinstance(one, Skipped) for one in found)
    assert {one.metric for one in counters.asked} == {"agent_tasks_total"}


async def test_a_record_that_does_not_say_what_it_read_has_no_looks() -> None:
    (found,) = [one async for one in archive(both()).looks(by_profile(None), NOON)]
    assert isinstance(found, Skipped)
    assert "which series of profile OpenTelemetryGenAI it read" in found.why
