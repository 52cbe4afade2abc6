"""What rollouts ask of a metric at the same moment is asked once, and each gets its own part."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typing_extensions import override

from turnout.adapters.metrics import UNNAMED, Metrics, SampleQuery, Series
from turnout.errors import MetricsUnavailable
from turnout.runtime import hub
from turnout.runtime.hub import ALONE, REMEMBERED, WIDEST, Hub

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
PATIENCE = 2 * SECOND


class Answers(Metrics):
    """Every pod of a fleet answers with a sample a second; what is asked is noted."""

    def __init__(self) -> None:
        self.asked: list[SampleQuery] = []
        self.fleet = {("shop", "one"), ("shop", "two"), ("bank", "one")}
        self.liars: set[tuple[str, str]] = set()
        self.error: MetricsUnavailable | None = None
        self.was_asked, self.goes_on = asyncio.Event(), asyncio.Event()
        self.goes_on.set()

    @override
    async def samples(self, provider: str, query: SampleQuery) -> Sequence[Series]:
        self.asked.append(query)
        self.was_asked.set()
        await self.goes_on.wait()
        if self.error is not None and query.pods is None:
            raise self.error
        return [
            self._series(namespace, pod, query)
            for namespace, pod in sorted(self.fleet)
            if namespace in query.namespaces
            if query.pods is None or pod in query.pods
        ]

    def _series(self, namespace: str, pod: str, query: SampleQuery) -> Series:
        end, reach = query.end.timestamp(), int(query.lookback.total_seconds())
        samples = tuple((end - back, 1.0) for back in reversed(range(reach)))
        problem = "it lies" if (namespace, pod) in self.liars else None
        return Series(namespace, pod, {}, samples, problem=problem)


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def asks(answers: Answers) -> Hub:
    return Hub(answers)


def query(namespace: str = "shop", *pods: str, after: timedelta = 0 * SECOND, **more: Any) -> Any:
    known: dict[str, Any] = {"metric": "tasks", "end": NOON + after, "lookback": 14 * SECOND}
    return SampleQuery(**known | {"namespaces": (namespace,), "pods": pods or ("one",)} | more)


async def ask(asks: Hub, *queries: SampleQuery, provider: str = "default") -> list[Any]:
    """Ask at once; what fails is given as its reason."""
    found = await asyncio.gather(
        *(asks.samples(provider, one, PATIENCE) for one in queries), return_exceptions=True
    )
    return [getattr(one, "reason", None) or who(one) for one in found]


def who(found: Any) -> set[tuple[str, str]]:
    return {(one.namespace, one.pod) for one in found}


async def test_those_who_ask_at_once_are_one_question_and_get_their_own_pods(
    asks: Hub, answers: Answers
) -> None:
    found = await ask(asks, query("shop"), query("bank"), query("shop", "two", "three"))
    assert found == [{("shop", "one")}, {("bank", "one")}, {("shop", "two")}]
    (wide,) = answers.asked
    assert wide.namespaces == ("bank", "shop")
    assert wide.pods is None


async def test_who_asks_a_little_later_gets_what_was_answered(asks: Hub, answers: Answers) -> None:
    await ask(asks, query("shop"), query("bank"))
    assert await ask(asks, query("bank", after=PATIENCE)) == [{("bank", "one")}]
    assert len(answers.asked) == 1
    await ask(asks, query("bank", after=PATIENCE + SECOND))
    assert [one.namespaces for one in answers.asked] == [("bank", "shop")] * 2


async def test_who_needs_more_than_was_answered_asks_again(asks: Hub, answers: Answers) -> None:
    await ask(asks, query("shop"))
    assert await ask(asks, query("bank")) == [{("bank", "one")}]
    await ask(asks, query("shop", lookback=30 * SECOND))
    assert [one.lookback for one in answers.asked] == [14 * SECOND, 14 * SECOND, 30 * SECOND]


async def test_who_comes_while_others_wait_for_an_answer_asks_for_what_that_leaves_out(
    asks: Hub, answers: Answers
) -> None:
    answers.goes_on.clear()
    first = asyncio.create_task(ask(asks, query("shop")))
    await answers.was_asked.wait()
    others = [asyncio.create_task(ask(asks, query(name))) for name in ("bank", "shop")]
    await asyncio.sleep(0)
    answers.goes_on.set()
    assert await first == await others[1] == [{("shop", "one")}]
    assert await others[0] == [{("bank", "one")}]
    assert [one.namespaces for one in answers.asked] == [("shop",), ("bank", "shop")]


async def test_each_gets_the_time_that_it_asked_for(asks: Hub) -> None:
    early = query("shop", lookback=3 * SECOND)
    late = query("shop", lookback=14 * SECOND, after=SECOND)
    found = await asyncio.gather(*(asks.samples("default", one, PATIENCE) for one in (early, late)))
    stamps = [[at - NOON.timestamp() for at, _ in one[0].samples] for one in found]
    assert stamps == [[-2, -1, 0], list(range(-12, 2))]


@pytest.mark.parametrize(
    "other",
    [
        {"metric": "errors"},
        {"match_labels": {"outcome": "ok"}},
        {"upper_bound": 2.0},
        {"version_label": "backend"},
        {"pods": UNNAMED},
    ],
)
async def test_what_is_another_question_is_asked_apart(
    asks: Hub, answers: Answers, other: dict[str, Any]
) -> None:
    await ask(asks, query("shop"), query("shop", **other))
    assert len(answers.asked) == 2


async def test_providers_are_asked_apart(asks: Hub, answers: Answers) -> None:
    await asyncio.gather(ask(asks, query()), ask(asks, query(), provider="another"))
    assert len(answers.asked) == 2


async def test_no_pods_are_no_question(asks: Hub, answers: Answers) -> None:
    assert await asks.samples("default", query(pods=()), PATIENCE) == []
    assert not answers.asked


async def test_who_has_a_long_gap_to_make_up_asks_alone(asks: Hub, answers: Answers) -> None:
    found = await ask(asks, query("shop", lookback=WIDEST + SECOND), query("bank"))
    assert found == [{("shop", "one")}, {("bank", "one")}]
    assert {one.pods for one in answers.asked} == {("one",), None}
    assert {one.namespaces for one in answers.asked} == {("shop",), ("bank",)}


async def test_a_pod_that_lies_is_trouble_for_those_who_ask_about_it(
    asks: Hub, answers: Answers
) -> None:
    answers.liars = {("shop", "two")}
    found = await ask(asks, query("shop"), query("shop", "one", "two"), query("bank"))
    assert found == [{("shop", "one")}, "Malformed", {("bank", "one")}]


async def test_trouble_with_the_provider_is_told_to_all_and_asked_for_once(
    asks: Hub, answers: Answers
) -> None:
    answers.error = MetricsUnavailable("Unreachable", "gone")
    assert await ask(asks, query("shop"), query("bank")) == ["Unreachable"] * 2
    assert await ask(asks, query("travel", after=SECOND)) == ["Unreachable"]
    assert len(answers.asked) == 1
    answers.error = None
    assert await ask(asks, query("shop", after=5 * SECOND)) == [{("shop", "one")}]


async def test_where_the_answer_for_all_is_too_large_each_asks_alone_for_a_while(
    asks: Hub, answers: Answers
) -> None:
    answers.error = MetricsUnavailable("TooLarge", "over 8 MiB")
    assert await ask(asks, query("shop"), query("bank")) == [{("shop", "one")}, {("bank", "one")}]
    assert [one.pods for one in answers.asked] == [None, ("one",), ("one",)]
    await ask(asks, query("shop", after=10 * SECOND))
    assert answers.asked[-1].pods == ("one",)
    answers.error = None
    await ask(asks, query("shop", after=ALONE))
    assert answers.asked[-1].pods is None


async def test_a_namespace_that_asks_no_more_is_left_out(asks: Hub, answers: Answers) -> None:
    await ask(asks, query("shop"), query("bank"))
    for minute in (1, 2):
        await ask(asks, query("shop", after=minute * REMEMBERED / 2))
    assert [one.namespaces for one in answers.asked] == [("bank", "shop")] * 2 + [("shop",)]


async def test_answers_that_nobody_asks_for_any_more_are_dropped(
    asks: Hub, answers: Answers
) -> None:
    await ask(asks, query("shop"))
    await ask(asks, query("shop", metric="errors", after=REMEMBERED))
    assert [key[1][0] for key in asks._topics] == ["errors"]


async def test_one_who_gives_up_takes_nobody_along(
    asks: Hub, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "GATHERING", 0.01)
    leaves = asyncio.create_task(asks.samples("default", query("shop"), PATIENCE))
    stays = asyncio.create_task(ask(asks, query("bank")))
    await asyncio.sleep(0)
    leaves.cancel()
    assert await stays == [{("bank", "one")}]
    assert len(answers.asked) == 1


async def test_who_looks_for_series_that_name_nobody_is_told_of_those_of_his_namespace(
    asks: Hub, answers: Answers
) -> None:
    answers.fleet |= {("shop", "")}
    found = await ask(asks, query("shop", pods=UNNAMED), query("bank", pods=UNNAMED))
    assert found == [{("shop", "")}, set()]
    (asked,) = answers.asked
    assert asked.is_unnamed
    assert asked.namespaces == ("bank", "shop")


def limited(answers: Answers, most: int) -> Hub:
    return Hub(answers, most)


async def test_a_namespace_that_asks_too_much_is_told_the_limit_and_others_notice_nothing(
    answers: Answers,
) -> None:
    asks = limited(answers, 2)
    for metric in ("tasks", "errors"):
        await ask(asks, query("shop", metric=metric))
    with pytest.raises(MetricsUnavailable, match="shop has asked 2 questions within a minute"):
        await asks.samples("default", query("shop", metric="times"), PATIENCE)
    assert await ask(asks, query("bank", metric="times")) == [{("bank", "one")}]
    assert len(answers.asked) == 3
    assert answers.asked[-1].namespaces == ("bank",)


async def test_a_minute_later_it_may_ask_again(answers: Answers) -> None:
    asks = limited(answers, 1)
    assert await ask(asks, query("shop")) == [{("shop", "one")}]
    assert await ask(asks, query("shop", after=30 * SECOND)) == ["TooManyQueries"]
    assert await ask(asks, query("shop", after=60 * SECOND)) == [{("shop", "one")}]


async def test_one_question_of_many_rollouts_counts_once_for_each_namespace(
    answers: Answers,
) -> None:
    asks = limited(answers, 1)
    found = await ask(asks, query("shop"), query("shop", "two"), query("bank"))
    assert found == [{("shop", "one")}, {("shop", "two")}, {("bank", "one")}]
    assert await ask(asks, query("shop", after=SECOND)) == [{("shop", "one")}]
    assert len(answers.asked) == 1


async def test_a_long_gap_counts_as_a_question_too(answers: Answers) -> None:
    asks = limited(answers, 1)
    long = 2 * WIDEST
    assert await ask(asks, query("shop", lookback=long)) == [{("shop", "one")}]
    assert await ask(asks, query("shop", lookback=long)) == ["TooManyQueries"]


async def test_who_must_ask_alone_is_counted_for_it(answers: Answers) -> None:
    asks = limited(answers, 2)
    answers.error = MetricsUnavailable("TooLarge", "over 8 MiB")
    assert await ask(asks, query("shop")) == [{("shop", "one")}]
    assert await ask(asks, query("shop", after=10 * SECOND)) == ["TooManyQueries"]
    assert await ask(asks, query("bank", after=2 * REMEMBERED)) == [{("bank", "one")}]


async def test_it_tells_when_the_last_pod_is_scraped_as_the_newest_answers_show(
    asks: Hub, answers: Answers
) -> None:
    assert asks.phase("default", 15) is None
    await ask(asks, query("shop", after=timedelta(seconds=0.25)))
    assert asks.phase("default", 1) == pytest.approx(0.25)
    assert asks.phase("another", 1) is None
    await ask(asks, query("bank", metric="errors", after=timedelta(seconds=0.5)))
    assert asks.phase("default", 1) == pytest.approx(0.5)
    answers.fleet.clear()
    await ask(asks, query("bank", metric="errors", after=2 * PATIENCE))
    assert asks.phase("default", 1) == pytest.approx(0.25), "an empty answer tells nothing"
