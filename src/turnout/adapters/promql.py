"""What is asked of Prometheus, in its language: built from names and quoted literals only."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final

from turnout.adapters.metrics import IncreaseQuery, PartsQuery, SampleQuery
from turnout.adapters.quoting import quoted
from turnout.errors import MetricsUnavailable
from turnout.settings import MetricsProvider

AGENT: Final = "turnout_agent"
"""Label of an answer about services: whose pods were counted."""

VERSION: Final = "turnout_version"
"""Label of an answer about versions."""

STEPS: Final = 60
"""Seconds between two looks back, and looks in a shorter window."""

_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_VERSIONS: Final = "(.+?)-[0-9a-f]{10}"
_PODS: Final = f"{_VERSIONS}-.+"
"""Names of agents' pods: the agent, ten digits of its version, and what a Deployment adds. No
agent's name holds ten hex digits between two dashes (the API refuses it), so the agent is what
stands before the first ones."""

_OF_VERSION: Final = "(.+?-[0-9a-f]{10})-.+"


def promql(query: SampleQuery, provider: MetricsProvider) -> str:
    """Write a query for the raw samples of pods.

    Every value is a quoted literal; names are an alternation quoted for RE2 besides, since one may
    hold a dot.
    """
    whose = query.version_label or provider.pod_label
    check_names(whose)
    pods = f'{whose}!=""' if query.pods is None else one_of(whose, query.pods)
    where = [one_of(provider.namespace_label, query.namespaces), pods]
    asked = selector(query.metric, where, query.match_labels, query.upper_bound)
    return f"{asked}[{whole_seconds(query.lookback)}s]"


def increase(query: IncreaseQuery, provider: MetricsProvider) -> str:
    """Write a query for the growth of a counter, summed up for each agent.

    A series that says itself which pod it is of, other than the one that was scraped, is left out.
    """
    label, names = query.version_label or provider.pod_label, _PODS
    check_names(label)
    if query.version_label is not None:
        names = _VERSIONS
    where = [
        one_of(provider.namespace_label, query.namespaces),
        f"{label}=~{literal(names)}",
        f'exported_{label}=""',
        f'exported_{provider.namespace_label}=""',
        *(_matching(name, query.matches[name]) for name in sorted(query.matches)),
    ]
    asked = selector(query.metric, where, query.match_labels, query.upper_bound)
    grown = f"increase({asked}[{whole_seconds(query.window)}s])"
    whose = f'"{AGENT}","$1",{literal(label)},{literal(names)}'
    by = f"{provider.namespace_label},{AGENT}"
    return f"sum by ({by}) (label_replace({grown},{whose}))"


def grown_parts(query: PartsQuery, provider: MetricsProvider) -> str:
    """Write a query for the growth of a counter's parts, those that grew most of each version."""
    grown = f"increase({_of_agents(query, provider)}[{whole_seconds(query.window)}s])"
    return _most(query, provider, "sum", grown)


def begun_parts(query: PartsQuery, provider: MetricsProvider) -> str:
    """Write a query for the time at which a counter's parts appeared, the newest of each version.

    It is looked every minute whether they are there, and more often in a window of less than an
    hour.
    """
    window = whole_seconds(query.window)
    step = min(max(window // STEPS, 1), STEPS)
    seen = f"timestamp({_of_agents(query, provider)})[{window}s:{step}s]"
    return _most(query, provider, "min", f"min_over_time({seen})")


def _of_agents(query: PartsQuery, provider: MetricsProvider) -> str:
    pod, namespace = provider.pod_label, provider.namespace_label
    check_names(pod)
    names = "|".join(re.escape(name) for name in query.agents)
    where = [
        one_of(namespace, query.namespaces),
        f"{pod}=~{literal(f'({names})-[0-9a-f]{{10}}-.+')}",
        f'exported_{pod}=""',
        f'exported_{namespace}=""',
    ]
    return selector(query.metric, where, query.match_labels, None)


def _most(query: PartsQuery, provider: MetricsProvider, summed: str, found: str) -> str:
    """Put a version's pods together, and keep the greatest parts of each."""
    check_names(provider.namespace_label, *query.by)
    version = f"{provider.namespace_label},{VERSION}"
    of = f'"{VERSION}","$1",{literal(provider.pod_label)},{literal(_OF_VERSION)}'
    by = ",".join((version, *query.by))
    parts = f"{summed} by ({by}) (label_replace({found},{of}))"
    return f"topk by ({version}) ({query.most:d}, {parts})"


def selector(
    metric: str, where: Sequence[str], labels: Mapping[str, str], bound: float | None
) -> str:
    """Write which series are meant, labels in their order."""
    check_names(metric, *labels)
    matchers = [*where, *(f"{name}={literal(labels[name])}" for name in sorted(labels))]
    if bound is not None:
        matchers.append(f"le=~{literal(_bounds(bound))}")
    return f"{metric}{{{','.join(matchers)}}}"


def _matching(label: str, pattern: str) -> str:
    check_names(label)
    return f"{label}=~{literal(pattern)}"


def check_names(*names: str) -> None:
    """Refuse what is no name of a metric or label, which alone stand unquoted."""
    for name in names:
        if not _NAME.fullmatch(name):
            raise MetricsUnavailable("Refused", f"{quoted(name)} is no name of a metric or label")


def whole_seconds(length: timedelta) -> int:
    """Round a length up to whole seconds."""
    return max(1, math.ceil(length.total_seconds()))


def one_of(label: str, names: Sequence[str]) -> str:
    """Match one of these values exactly."""
    if len(names) == 1:
        return f"{label}={literal(names[0])}"
    return f"{label}=~{literal('|'.join(re.escape(name) for name in names))}"


def literal(text: str) -> str:
    """Quote a value."""
    return json.dumps(text, ensure_ascii=False)


def _bounds(bound: float) -> str:
    """Spell a bucket's bound in every way that clients do: 2, 2.0, 2e+00."""
    if math.isinf(bound):
        return r"\+Inf"
    digits = len(Decimal(repr(bound)).normalize().as_tuple().digits)
    exact = f"{Decimal(repr(bound)):f}"
    spellings = {f"{bound:.{digits - 1}e}", repr(bound), exact, exact.removesuffix(".0")}
    return "|".join(re.escape(one) for one in sorted(spellings))
