import asyncio
import gzip
import json
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from tests.adapters.provider import (
    NOON,
    POD,
    PROVIDER,
    SCALAR_TEXT,
    Server,
    grown,
    growth,
    vector,
)
from turnout.adapters import prometheus
from turnout.adapters.metrics import UNNAMED, SampleQuery
from turnout.adapters.prometheus import PrometheusMetrics
from turnout.adapters.promql import increase, promql
from turnout.errors import MetricsUnavailable
from turnout.settings import MetricsProvider


def query(**changes: Any) -> SampleQuery:
    known: dict[str, Any] = {
        "metric": "agent_tasks_total",
        "namespaces": ("shop",),
        "pods": (POD,),
        "end": NOON,
        "lookback": timedelta(seconds=60),
    }
    return SampleQuery(**known | changes)


def series(*values: Any, pod: str = POD, **labels: str) -> dict[str, Any]:
    """Samples ten seconds apart, the last one at noon."""
    start = NOON.timestamp() - 10 * (len(values) - 1)
    samples = [[start + 10 * number, value] for number, value in enumerate(values)]
    known = {"__name__": "x", "namespace": "shop", "pod": pod}
    return {"metric": known | labels, "values": samples}


def matrix(*found: Any, **extra: Any) -> dict[str, Any]:
    return {"status": "success", "data": {"resultType": "matrix", "result": list(found)}, **extra}


async def refusal(server: Server, **settings: Any) -> MetricsUnavailable:
    with pytest.raises(MetricsUnavailable) as refused:
        await server.metrics(**settings).samples("default", query())
    return refused.value


async def test_samples_come_with_their_times_and_labels(server: Server) -> None:
    server.handler = Server.json(matrix(series("1", "3.5", outcome="ok")))
    (found,) = await server.metrics().samples("default", query())
    assert found.pod == POD
    assert found.labels == {"namespace": "shop", "pod": POD, "outcome": "ok"}
    noon = NOON.timestamp()
    assert found.samples == ((noon - 10, 1.0), (noon, 3.5))
    assert server.outcomes == ["ok"]


async def test_one_instant_query_is_asked_at_the_end_of_the_window(server: Server) -> None:
    server.handler = Server.json(matrix())
    assert await server.metrics().samples("default", query()) == []
    (request,) = server.asked
    assert request.path == "/api/v1/query"
    assert float(request.query["time"]) == NOON.timestamp()
    assert request.query["query"] == f'agent_tasks_total{{namespace="shop",pod="{POD}"}}[60s]'
    assert server.outcomes == ["empty"]


async def test_no_known_pods_is_no_question(server: Server) -> None:
    assert await server.metrics().samples("default", query(pods=())) == []
    assert server.asked == []


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf", "-1", "-0.5"])
async def test_a_value_that_is_none_is_dropped_and_counted(server: Server, value: str) -> None:
    server.handler = Server.json(matrix(series("1", value, "2")))
    (found,) = await server.metrics().samples("default", query())
    assert [each for _, each in found.samples] == [1.0, 2.0]
    assert found.dropped == 1


async def test_a_sample_on_the_far_edge_is_outside(server: Server) -> None:
    server.handler = Server.json(matrix(series(*"1234567")))
    (found,) = await server.metrics().samples("default", query())
    assert [value for _, value in found.samples] == [2, 3, 4, 5, 6, 7]
    assert found.dropped == 0


@pytest.mark.parametrize(
    "answer",
    [
        matrix(warnings=["store down"]),
        matrix(infos=["metric might not be a counter"]),
        {"status": "success", "data": {"resultType": "vector", "result": []}},
        {"status": "success", "data": {"resultType": "scalar", "result": [1, "2"]}},
        {"status": "success"},
        {},
        [],
        None,
        matrix(3),
        matrix({"metric": {}}),
        matrix({"metric": {"pod": POD}, "values": [[1]]}),
        matrix({"metric": {"pod": POD}, "values": [[NOON.timestamp(), "many"]]}),
        matrix({"metric": {"pod": POD}, "values": None}),
        matrix({"metric": {"pod": POD}, "histograms": [[1, {}]]}),
        matrix(series("1", pod="somebody-else")),
        matrix(series("1", namespace="bank")),
        matrix(series("1", exported_pod="mine")),
        matrix(series("1", exported_namespace="mine")),
        matrix({"metric": {}, "values": [[NOON.timestamp(), "1"]]}),
    ],
)
async def test_an_answer_that_cannot_be_trusted_is_unknown(server: Server, answer: Any) -> None:
    server.handler = Server.json(answer)
    assert (await refusal(server)).reason in {"Malformed", "PartialAnswer"}
    assert server.outcomes == ["error"]


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"status": "succ', b"\xff\xfe", b"[" * 100_000, b"null"]
)
async def test_a_body_that_is_no_answer_is_unknown(server: Server, body: bytes) -> None:
    server.handler = Server.body(body)
    assert (await refusal(server)).reason == "Malformed"


@pytest.mark.parametrize("code", [400, 401, 403, 404, 422, 429, 500, 503])
async def test_a_refusal_names_its_status_and_never_quotes_its_body(
    server: Server, code: int
) -> None:
    server.handler = Server.body(b"canary-7f3a", status=code)
    error = await refusal(server)
    assert error.reason == "Unreachable"
    assert str(code) in str(error)
    assert "canary" not in str(error)
    assert len(server.asked) == 1


async def test_a_redirect_is_not_followed(server: Server) -> None:
    server.handler = Server.body(b"", status=302, headers={"Location": f"{server.url}/elsewhere"})
    assert (await refusal(server)).reason == "Refused"
    assert len(server.asked) == 1


@pytest.mark.parametrize("compressed", [False, True])
async def test_a_body_over_the_limit_is_refused(
    server: Server, monkeypatch: pytest.MonkeyPatch, *, compressed: bool
) -> None:
    monkeypatch.setattr(prometheus, "LARGEST_ANSWER", 2**20)
    body = json.dumps(matrix(padding="x" * 2**21)).encode()
    headers = {"Content-Encoding": "gzip"} if compressed else {}
    server.handler = Server.body(gzip.compress(body) if compressed else body, headers=headers)
    assert (await refusal(server)).reason == "TooLarge"


async def test_a_broken_compression_is_unknown(server: Server) -> None:
    server.handler = Server.body(b"no gzip at all", headers={"Content-Encoding": "gzip"})
    assert (await refusal(server)).reason == "Unreachable"


async def test_an_answer_that_trickles_ends_in_time(server: Server) -> None:
    async def trickle(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(b" ")
            await asyncio.sleep(0.02)

    server.handler = trickle
    error = await refusal(server, timeout=timedelta(seconds=0.2))
    assert error.reason == "Timeout"
    assert server.outcomes == ["timeout"]


async def test_silence_ends_in_time(server: Server) -> None:
    async def hang(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.Response()

    server.handler = hang
    assert (await refusal(server, timeout=timedelta(seconds=0.2))).reason == "Timeout"


async def test_a_slow_provider_never_delays_another(server: Server) -> None:
    async def slow_on_one_path(request: web.Request) -> web.StreamResponse:
        if request.path.startswith("/slow"):
            await asyncio.sleep(60)
        return web.json_response(matrix())

    server.handler = slow_on_one_path
    slow = MetricsProvider(url=f"{server.url}/slow", timeout=timedelta(seconds=1))
    metrics = PrometheusMetrics({"slow": slow, "fast": MetricsProvider(url=server.url)})
    stuck = [asyncio.create_task(metrics.samples("slow", query())) for _ in range(20)]
    await asyncio.sleep(0)
    assert await metrics.samples("fast", query()) == []
    results = await asyncio.gather(*stuck, return_exceptions=True)
    assert {getattr(result, "reason", "") for result in results} == {"Timeout"}


async def test_a_provider_that_is_not_there_is_unreachable() -> None:
    nowhere = PrometheusMetrics({"default": MetricsProvider(url="http://127.0.0.1:1")})
    with pytest.raises(MetricsUnavailable) as refused:
        await nowhere.samples("default", query())
    assert refused.value.reason == "Unreachable"


async def test_a_name_that_no_administrator_configured_is_unknown() -> None:
    with pytest.raises(MetricsUnavailable) as refused:
        await PrometheusMetrics({}).samples("default", query())
    assert refused.value.reason == "UnknownProvider"


async def test_headers_are_read_for_each_question(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "headers.yaml"
    server.handler = Server.json(matrix())
    metrics = server.metrics(headers_file=file)
    for token in ("one", "two"):
        file.write_text(f"Authorization: Bearer {token}")
        await metrics.samples("default", query())
    sent = [request.headers["Authorization"] for request in server.asked]
    assert sent == ["Bearer one", "Bearer two"]


@pytest.mark.parametrize("content", [None, "- a list", "a: [", "\ud800"])
async def test_headers_that_cannot_be_read_are_unknown(
    server: Server, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "headers.yaml"
    if content is not None:
        file.write_bytes(content.encode("utf-8", "surrogatepass"))
    assert (await refusal(server, headers_file=file)).reason == "Unreachable"
    assert server.asked == []


async def test_neither_proxy_nor_netrc_of_the_environment_is_used(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password secret")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    server.handler = Server.json(matrix())
    await server.metrics().samples("default", query())
    assert "Authorization" not in server.asked[0].headers


@pytest.mark.parametrize(
    "changes",
    [
        {"metric": "a{}"},
        {"metric": ""},
        {"metric": "a or vector(1) #"},
        {"match_labels": {"a=~": "x"}},
        {"match_labels": {"": "x"}},
    ],
)
def test_what_is_no_name_is_refused(changes: Mapping[str, Any]) -> None:
    with pytest.raises(MetricsUnavailable):
        promql(query(**changes), PROVIDER)


@given(value=SCALAR_TEXT, pods=st.lists(SCALAR_TEXT.filter(bool), min_size=2, max_size=3))
def test_no_text_leaves_its_quotes(value: str, pods: list[str]) -> None:
    text = promql(query(match_labels={"task": value}, pods=tuple(pods)), PROVIDER)
    literal = r'"(?:[^"\\]|\\.)*"'
    shape = rf'agent_tasks_total\{{namespace="shop",pod=~({literal}),task=({literal})\}}\[60s\]'
    match = re.fullmatch(shape, text, re.DOTALL)
    assert match
    assert json.loads(match[2]) == value
    assert all(re.fullmatch(json.loads(match[1]), pod) for pod in pods)


def test_all_pods_of_several_namespaces_are_one_question() -> None:
    text = promql(query(namespaces=("bank", "shop.b"), pods=None), PROVIDER)
    assert text == r'agent_tasks_total{namespace=~"bank|shop\\.b",pod!=""}[60s]'


@pytest.mark.parametrize("extra", [{}, {"infos": ["metric might not be a counter"]}])
async def test_growth_comes_by_namespace_and_agent(server: Server, extra: Any) -> None:
    server.handler = Server.json(vector(grown("7.5"), grown("3", turnout_agent="sales"), **extra))
    found = await server.metrics().increases("default", growth())
    assert found == {("shop", "support"): 7.5, ("shop", "sales"): 3.0}
    assert server.outcomes == ["ok"]


@pytest.mark.parametrize(
    "answer",
    [
        matrix(),
        vector(warnings=["store down"]),
        vector(3),
        vector({"metric": {}, "value": [1, "2"]}),
        vector(grown("NaN")),
        vector(grown("-1")),
        vector(grown("many")),
        vector(grown("1") | {"value": [1]}),
    ],
)
async def test_growth_that_cannot_be_trusted_is_unknown(server: Server, answer: Any) -> None:
    server.handler = Server.json(answer)
    with pytest.raises(MetricsUnavailable):
        await server.metrics().increases("default", growth())
    assert server.outcomes == ["error"]


@given(value=SCALAR_TEXT, namespaces=st.lists(SCALAR_TEXT.filter(bool), min_size=2, max_size=3))
def test_no_text_leaves_its_quotes_in_a_question_about_growth(
    value: str, namespaces: list[str]
) -> None:
    asked = growth(match_labels={"task": value}, namespaces=tuple(namespaces), upper_bound=2.0)
    literal = r'"(?:[^"\\]|\\.)*"'
    shape = (
        r"sum by \(namespace,turnout_agent\) \(label_replace\(increase\(agent_tasks_total\{"
        rf'namespace=~({literal}),pod=~{literal},exported_pod="",exported_namespace="",'
        rf"task=({literal}),le=~{literal}\}}\[3600s\]\),"
        rf'"turnout_agent","\$1","pod",{literal}\)\)'
    )
    match = re.fullmatch(shape, increase(asked, PROVIDER), re.DOTALL)
    assert match
    assert json.loads(match[2]) == value
    assert all(re.fullmatch(json.loads(match[1]), one) for one in namespaces)


@given(pattern=SCALAR_TEXT)
def test_a_pattern_reaches_the_provider_as_it_is(pattern: str) -> None:
    text = increase(growth(matches={"code": pattern}), PROVIDER)
    match = re.search(r',code=~("(?:[^"\\]|\\.)*")\}\[', text, re.DOTALL)
    assert match
    assert json.loads(match[1]) == pattern


@pytest.mark.parametrize(
    "changes", [{"metric": "a{}"}, {"match_labels": {"a=~": "x"}}, {"matches": {"a=~": "x"}}]
)
def test_growth_of_what_is_no_name_is_refused(changes: Mapping[str, Any]) -> None:
    with pytest.raises(MetricsUnavailable):
        increase(growth(**changes), PROVIDER)


async def test_where_all_pods_are_asked_for_one_that_lies_spoils_no_other(server: Server) -> None:
    lie = series("1", pod="liar", exported_pod="mine")
    server.handler = Server.json(matrix(series("1"), lie))
    honest, liar = await server.metrics().samples("default", query(pods=None))
    assert (honest.namespace, honest.pod, honest.problem) == ("shop", POD, None)
    assert liar.pod == "liar"
    assert "names another pod" in str(liar.problem)


@pytest.mark.parametrize(
    ("bound", "spellings"),
    [
        (0.5, {"0.5"}),
        (2.0, {"2", "2.0", "2e+00"}),
        (0.00001, {"1e-05", "0.00001"}),
        (1_500_000.0, {"1500000", "1500000.0", "1.5e+06"}),
        (123_456_789.0, {"123456789", "123456789.0", "1.23456789e+08"}),
        (float("inf"), {"+Inf"}),
    ],
)
def test_a_buckets_bound_is_found_however_it_is_spelled(bound: float, spellings: set[str]) -> None:
    text = promql(query(metric="agent_seconds_bucket", upper_bound=bound), PROVIDER)
    match = re.search(r'le=~("(?:[^"\\]|\\.)*")', text)
    assert match
    pattern = json.loads(match[1])
    assert all(re.fullmatch(pattern, spelling) for spelling in spellings)
    assert not re.fullmatch(pattern, "3")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"version_label": "backend"}, f'namespace="shop",backend="{POD}"'),
        ({"version_label": "backend", "pods": None}, 'namespace="shop",backend!=""'),
        ({"version_label": "backend", "pods": UNNAMED}, 'namespace="shop",backend=""'),
        ({"pods": UNNAMED}, 'namespace="shop",pod=""'),
    ],
)
def test_versions_and_series_that_name_nobody_are_asked_for_in_the_same_namespace(
    changes: dict[str, Any], text: str
) -> None:
    assert promql(query(**changes), PROVIDER) == f"agent_tasks_total{{{text}}}[60s]"


def test_a_label_that_is_no_name_is_refused() -> None:
    with pytest.raises(MetricsUnavailable, match="no name of a metric or label"):
        promql(query(version_label='a"} or x'), PROVIDER)
