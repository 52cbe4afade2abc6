"""`turnout gate replay --from-prometheus`: looks of past rollouts, printed or judged."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from pydantic import ValidationError

from turnout.adapters.access import Access
from turnout.adapters.documents import METRIC_TEMPLATE
from turnout.adapters.person import sign_in
from turnout.adapters.prometheus import PrometheusMetrics
from turnout.api.metric import MetricTemplate
from turnout.api.rollout import AgentRollout
from turnout.cli.agents import listed, read_record
from turnout.cli.exits import Exit
from turnout.cli.options import Samples
from turnout.cli.replay.command import judge, tell
from turnout.cli.replay.fetched import PROVIDER, Archive, Skipped
from turnout.cli.replay.gatefile import GateFile, read_gate
from turnout.cli.replay.recorded import Look
from turnout.errors import Invalid, NotFound
from turnout.settings import MetricsProvider


async def replay_past(access: Access, agent: str, gate_path: str | None, samples: Samples) -> Exit:
    """Fetch the looks of an agent's rollouts; judge them by a gate, or print them without one.

    Raises:
        Invalid: The gate or the address cannot be used.
        NotFound: There is no such agent or rollout.
        MetricsUnavailable: The provider does not answer, or not what can be trusted.
    """
    gate = None if gate_path is None else read_gate(gate_path)
    provider = provider_of(samples)
    async with sign_in(access) as cluster:
        record = await read_record(cluster, agent)
        templates = listed(MetricTemplate, await cluster.list(METRIC_TEMPLATE, cluster.namespace))
    archive = Archive(
        PrometheusMetrics({PROVIDER: provider}),
        provider.scrape_interval.total_seconds(),
        {one.metadata.name: one for one in templates},
    )
    rollouts = chosen(record.rollouts, samples.rollout)
    return answer(await fetched(archive, rollouts, datetime.now(UTC)), gate)


def provider_of(samples: Samples) -> MetricsProvider:
    """Name the provider as an administrator would, out of options.

    Raises:
        Invalid: An option cannot be used.
    """
    given = {
        "url": samples.from_prometheus,
        "scrapeInterval": samples.scrape,
        "headersFile": samples.headers_file,
        "caFile": samples.ca_file,
        "timeout": "60s",
    }
    try:
        return MetricsProvider.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        option = {"url": "--from-prometheus", "scrapeInterval": "--scrape-interval"}
        field = str(first["loc"][0])
        raise Invalid("InvalidOption", f"{option.get(field, field)}: {first['msg']}") from None


def chosen(rollouts: Sequence[AgentRollout], word: str | None) -> Sequence[AgentRollout]:
    """Take all rollouts, or the one that a person names: support-r14 or r14.

    Raises:
        NotFound: There is none of that name.
    """
    if word is None:
        return rollouts
    found = [one for one in rollouts if word in {one.metadata.name, f"r{one.spec.number}"}]
    if not found:
        known = ", ".join(f"r{one.spec.number}" for one in rollouts) or "none"
        raise NotFound(f"there is no rollout {word}; there are {known}")
    return found


async def fetched(archive: Archive, rollouts: Iterable[AgentRollout], now: datetime) -> list[Look]:
    """Give the looks of rollouts in the order of time; tell which have none, and why."""
    looks: list[Look] = []
    for rollout in rollouts:
        found = [one async for one in archive.looks(rollout, now)]
        looks += [one for one in found if isinstance(one, Look)]
        for one in found:
            if isinstance(one, Skipped):
                tell(f"{one.name} is left out: {one.why}")
    return sorted(looks, key=lambda one: one.moment)


def answer(looks: Sequence[Look], gate: GateFile | None) -> Exit:
    """Judge looks, or print them where no gate is given."""
    if gate is None:
        sys.stdout.writelines(one.line() for one in looks)
        return Exit.DONE
    for name in dict.fromkeys(one.metric for one in looks if one.metric not in gate.metrics):
        tell(f"metric {name} is left out: the gate does not have it")
    return judge(gate, [one for one in looks if one.metric in gate.metrics])
