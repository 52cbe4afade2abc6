"""What stable's own pods tell before a rollout, and what evidence makes of it."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from tests.core.sequential import TERMS, looks
from tests.core.test_statistical import EQUAL, gate
from turnout.core.looks import Readings, Series
from turnout.core.past import Past, past_of
from turnout.core.sequential.findings import Metric, find
from turnout.core.sequential.forecast import forecast
from turnout.core.sequential.tally import Tally, begin, follow
from turnout.core.sequential.verdicts import Policy
from turnout.core.sequential.words import factor, said_of
from turnout.core.statistical import begun

UNTIL = 7200.0
SCRAPE = 15.0
PODS = {"support-1": 0.0, "support-2": 0.0}

Failures = Callable[[str, int], int]


def scraped(failures: Failures, pods: dict[str, float] = PODS, requests: int = 50) -> Readings:
    """Scrape pods for two hours: so many requests a minute, of which some fail."""
    good, total = [], []
    for pod in pods:
        kept: list[tuple[float, float]] = []
        every: list[tuple[float, float]] = []
        well = asked = 0.0
        for minute in range(121):
            kept.append((60.0 * minute, well))
            every.append((60.0 * minute, asked))
            well += requests - failures(pod, minute)
            asked += requests
        good.append(Series(pod, tuple(kept)))
        total.append(Series(pod, tuple(every)))
    return Readings(tuple(good), tuple(total))


def chance(seed: int = 7) -> Failures:
    random = Random(seed)
    return lambda *_: sum(random.random() < 0.1 for _ in range(50))


def in_bursts(seed: int = 7) -> Failures:
    """Let requests of one session fail or not together: ten in each."""
    random = Random(seed)
    return lambda *_: 10 * sum(random.random() < 0.1 for _ in range(5))


def past(readings: Readings, pods: dict[str, float] = PODS) -> Past:
    return past_of(readings, pods, UNTIL, 60.0)


def test_halves_that_differ_by_chance_scatter_as_chance_does() -> None:
    learned = past(scraped(chance()))
    assert learned.share == pytest.approx(0.9, abs=0.01)
    assert 1.0 <= learned.noise < 1.4


def test_sessions_that_fare_alike_scatter_by_their_size() -> None:
    learned = past(scraped(in_bursts()))
    assert learned.noise == pytest.approx(10.0, rel=0.35)


@pytest.mark.parametrize("pods", [{"support-1": 0.0}, {"support-2": 0.0}])
def test_one_pod_alone_tells_its_share_and_nothing_of_scatter(pods: dict[str, float]) -> None:
    learned = past(scraped(in_bursts(), pods), PODS)
    assert learned.share == pytest.approx(0.9, abs=0.03)
    assert learned.noise == 1.0


def test_where_hardly_anything_was_asked_nothing_is_known() -> None:
    assert past(scraped(lambda *_: 0, requests=0)) == Past()
    assert past(Readings((), ())) == Past()


def test_an_hour_without_a_failure_tells_nothing_of_scatter() -> None:
    assert past(scraped(lambda *_: 0)) == Past(share=1.0)


def test_pods_that_are_not_stable_s_tell_nothing() -> None:
    assert past(scraped(chance(), {"other-1": 0.0, "other-2": 0.0})) == Past()


def test_evidence_begins_with_what_is_known() -> None:
    asked = gate(
        "tasks",
        "tone",
        "cost",
        cost={"type": "CostPerSuccess", "maxIncrease": "9%"} | {"maxRegression": None},
    )
    entries = begun(asked, {"tasks": Past(0.8, 3.0), "tone": Past(), "cost": Past()})
    assert set(entries) == {"tasks", "tone"}
    tallies = [one.tally for one in entries.values()]
    assert [one.noise for one in tallies if isinstance(one, Tally)] == [3.0, 1.0]
    rates = [one.rate.failures for one in tallies if isinstance(one, Tally)]
    assert rates == pytest.approx([0.2, 0.05], abs=0.005)


def tallied(noise: float) -> Tally:
    tally = begin(TERMS, noise=noise)
    for look in looks([EQUAL] * 5):
        tally = follow(tally, look, TERMS)
    return tally


def test_noise_dampens_evidence_lengthens_the_forecast_and_is_told() -> None:
    quiet, loud = tallied(1.0), tallied(2.5)
    assert loud.safe.log < quiet.safe.log
    ahead = [forecast(one, TERMS, 0) for one in (quiet, replace(quiet, noise=2.5))]
    assert all(one is not None for one in ahead)
    more = [one.requests for one in ahead if one is not None]
    assert more[1] == pytest.approx(2.5 * more[0])
    policy, metric = Policy(), Metric("tasks", TERMS)
    said = [said_of(find(metric, [one]), one, TERMS, policy) for one in (quiet, loud)]
    assert "counts scatter" not in said[0]
    assert "; counts scatter 2.5 times as much as by chance; about " in said[1]
    assert [factor(1.0), factor(2.5)] == [None, "2.5"]
