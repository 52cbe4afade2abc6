"""The chart's recording rules on a real Prometheus: the same answers as the counters themselves."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
import requests
import yaml
from typing_extensions import override

from devcluster import golang, processes
from devcluster.ports import free_ports
from devcluster.processes import Site
from devcluster.progress import silence
from devcluster.prometheus import NAME, start
from tests.chart.helm import CHART, Helm
from tests.support.kubectl import eventually
from turnout.adapters import prometheus
from turnout.adapters.metrics import IncreaseQuery
from turnout.adapters.prometheus import PrometheusMetrics
from turnout.settings import MetricsProvider

pytestmark = pytest.mark.light

DAYS: Final = timedelta(days=2)
SCRAPE: Final = 60
STEP: Final = 300
PODS: Final = 4
LIVE: Final = 'turnout:recorded{turnout_every="1s"}'
TASKS: Final = "support_tasks_total"
SERIES: Final[Sequence[Mapping[str, Any]]] = (
    {"metric": TASKS, "labels": ["outcome"]},
    {"metric": "gateway_requests_total", "labels": ["code"], "versionLabel": "backend"},
)
Labels = Mapping[str, str]
Sample = tuple[str, Labels, float, float]
"""Name, labels, value and unix seconds."""


def _line(sample: Sample) -> str:
    name, labels, value, at = sample
    said = ",".join(f'{key}="{text}"' for key, text in labels.items())
    return f"{name}{{{said}}} {value} {1000 * at:.0f}\n"


@dataclass
class Past:
    """A target that tells of the past, once: samples with their times, by path."""

    told: dict[str, str] = field(default_factory=dict)

    def tell(self, path: str, samples: Iterator[Sample]) -> None:
        self.told[path] = "".join(map(_line, samples))

    def answer(self, environ: Mapping[str, Any], begin: Callable[..., Any]) -> list[bytes]:
        """Answer a scrape, by WSGI."""
        begin("200 OK", [("Content-Type", "text/plain; version=0.0.4")])
        return [self.told.pop(environ["PATH_INFO"], "").encode()]


class Quiet(WSGIRequestHandler):
    """Writes no line for each scrape."""

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class Scene:
    """A Prometheus that knows two days of counters, and who may tell it more."""

    past: Past
    url: str
    end: datetime
    rules: Sequence[Mapping[str, Any]]

    @property
    def metrics(self) -> PrometheusMetrics:
        return PrometheusMetrics({"default": MetricsProvider(url=self.url)})

    def ask(self, path: str, **parameters: Any) -> Any:
        answer = requests.get(f"{self.url}/api/v1/{path}", parameters, timeout=10).json()
        return answer["data"]

    def known(self, series: str) -> int:
        """Count the series of the past."""
        whole = f"count_over_time({series}[{DAYS.days}d])"
        return len(self.ask("query", query=whole, time=self.end.timestamp())["result"])

    def recorded(self) -> Iterator[Sample]:
        """Evaluate the rules over the past, as backfilling them would."""
        span = {"start": (self.end - DAYS).timestamp(), "end": self.end.timestamp(), "step": STEP}
        for rule in self.rules:
            for series in self.ask("query_range", query=rule["expr"], **span)["result"]:
                labels = {key: value for key, value in series["metric"].items() if value}
                for at, value in series["values"]:
                    yield rule["record"], labels | rule["labels"], float(value), at


def counters(end: datetime) -> Iterator[Sample]:
    """Two versions of an agent and another agent; pods come, go and begin anew."""
    first = end - DAYS
    lives = (
        ("shop", "tea-0123456789-7d9f8c6b5d-aaaaa", 0.0, 0.6, 20.0, 0.98),
        ("shop", "tea-0123456789-7d9f8c6b5d-bbbbb", 0.2, 1.0, 30.0, 0.97),
        ("shop", "tea-fedcba9876-5d6b7c8f9d-ccccc", 0.5, 1.0, 10.0, 0.80),
        ("bank", "tea-0123456789-5d6b7c8f9d-ddddd", 0.0, 1.0, 5.0, 0.90),
    )
    for namespace, pod, born, dies, rate, good in lives:
        begin, until = born * DAYS.total_seconds(), dies * DAYS.total_seconds()
        for at in range(int(begin) // SCRAPE * SCRAPE, int(until) + 1, SCRAPE):
            asked = rate * ((at - begin) % 50_000) / SCRAPE
            where = {"namespace": namespace, "pod": pod}
            moment = first.timestamp() + at
            yield TASKS, where | {"outcome": "success"}, asked * good, moment
            yield TASKS, where | {"outcome": "failure"}, asked * (1 - good), moment


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    golang.build(["helm", NAME], silence())
    home = tmp_path_factory.mktemp("recorded")
    helm = Helm(str(golang.binary("helm")), home / "helm")
    live = home / "rules.yaml"
    live.write_text(yaml.safe_dump(rules(helm, home, "1s")))
    (group,) = rules(helm, home, f"{STEP // 60}m")["groups"]
    past = Past()
    server = make_server("127.0.0.1", 0, past.answer, handler_class=Quiet)
    Thread(target=server.serve_forever, daemon=True).start()
    [port] = free_ports(1)
    try:
        start(Site(home), f"127.0.0.1:{port}", configuration(server.server_port, live))
        moment = datetime.now(UTC).timestamp() // STEP * STEP
        end = datetime.fromtimestamp(moment, UTC)
        yield Scene(past, f"http://127.0.0.1:{port}", end, group["rules"])
    finally:
        processes.stop_all(home)
        server.shutdown()
        server.server_close()


def rules(helm: Helm, home: Path, interval: str) -> Any:
    """Render the chart's rules file."""
    values = {"enabled": True, "form": "ConfigMap", "interval": interval, "series": list(SERIES)}
    file = home / f"values-{interval}.yaml"
    file.write_text(yaml.safe_dump({"recordingRules": values}))
    rendered = helm.run(
        "template", "x", str(CHART), "--values", str(file), "--show-only",
        "templates/recordingrules.yaml",
    )  # fmt: skip
    return yaml.safe_load(yaml.safe_load(rendered)["data"]["turnout.rules.yaml"])


def configuration(port: int, live: Path) -> dict[str, Any]:
    targets = [{"targets": [f"127.0.0.1:{port}"]}]
    own = [{"action": "labeldrop", "regex": "instance|job"}]
    return {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "storage": {"tsdb": {"out_of_order_time_window": "4d"}},
        "rule_files": [str(live)],
        "scrape_configs": [
            {"job_name": "raw", "metrics_path": "/raw", "static_configs": targets},
            {
                "job_name": "recorded",
                "metrics_path": "/recorded",
                "static_configs": targets,
                "metric_relabel_configs": own,
            },
        ],
    }


def question(scene: Scene, window: timedelta = DAYS, **changes: Any) -> IncreaseQuery:
    known: dict[str, Any] = {
        "metric": TASKS,
        "namespaces": ("shop", "bank"),
        "end": scene.end,
        "window": window,
    }
    return IncreaseQuery(**known | changes)


def test_prometheus_evaluates_every_rule_without_an_error(scene: Scene) -> None:
    def states() -> list[str]:
        (group,) = scene.ask("rules")["groups"]
        return [one["health"] for one in group["rules"]]

    eventually("no rule fails", lambda: states() == ["ok"] * 2 * len(SERIES))
    eventually("marks", lambda: len(scene.ask("query", query=LIVE)["result"]) == 2)


async def test_what_was_recorded_answers_as_the_counters_do(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    good: dict[str, Any] = {"match_labels": {"outcome": "success"}}
    scene.past.tell("/raw", counters(scene.end))
    everybody = {("shop", "tea"), ("bank", "tea")}
    eventually("the counters", lambda: scene.known(TASKS) == PODS * 2)
    direct = await scene.metrics.increases("default", question(scene))
    direct_good = await scene.metrics.increases("default", question(scene, **good))
    assert set(direct) == set(direct_good) == everybody

    scene.past.tell("/recorded", scene.recorded())
    marks = 'turnout:recorded{turnout_every="5m"}'
    eventually("the marks", lambda: scene.known(marks) == len(SERIES))
    with monkeypatch.context() as patched:
        patched.delattr(prometheus, "increase")
        kept = await scene.metrics.increases("default", question(scene))
        kept_good = await scene.metrics.increases("default", question(scene, **good))
        short = await scene.metrics.increases("default", question(scene, timedelta(hours=6)))
    assert set(kept) == everybody
    for whose in everybody:
        assert kept[whose] == pytest.approx(direct[whose], rel=0.02)
        share = kept_good[whose] / kept[whose]
        assert share == pytest.approx(direct_good[whose] / direct[whose], abs=0.001)
    assert set(short) == everybody

    monkeypatch.delattr(prometheus, "recorded_increase")
    for beyond in (
        question(scene, timedelta(days=3)),
        question(scene, timedelta(hours=1)),
        question(scene, match_labels={"outcome": "success", "tenant": "a"}),
        question(scene, match_labels={"outcome": ""}),
        question(scene, metric="never_recorded_total"),
    ):
        asked = await scene.metrics.increases("default", beyond)
        assert set(asked) <= everybody
