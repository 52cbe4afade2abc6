import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from turnout.runtime.telemetry import Telemetry, set_up_logging
from turnout.settings import Settings


@pytest.fixture(autouse=True)
def kept_logging() -> Iterator[None]:
    """Leave logging to others as it was found."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    kopf = logging.getLogger("kopf").level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("kopf").setLevel(kopf)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_line_is_one_json_object_with_its_context(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(Settings())
    logger = structlog.stdlib.get_logger("turnout.runtime.reconcile")
    with structlog.contextvars.bound_contextvars(agent="support", step=3):
        logger.warning("held", reason="NoTraffic")
    (line,) = lines(capsys)
    assert line["event"] == "held"
    assert line["level"] == "warning"
    assert (line["agent"], line["step"], line["reason"]) == ("support", 3, "NoTraffic")
    assert str(line["timestamp"]).endswith("Z")


def test_lines_of_libraries_have_the_same_form(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(Settings())
    logging.getLogger("aiohttp").error("broken %s", "pipe")
    (line,) = lines(capsys)
    assert (line["event"], line["logger"], line["level"]) == ("broken pipe", "aiohttp", "error")


def test_a_stack_trace_stays_within_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(Settings())
    try:
        int("nonsense")
    except ValueError:
        structlog.stdlib.get_logger("turnout").exception("look failed")
    (line,) = lines(capsys)
    assert "ValueError: invalid literal" in str(line["exception"])


def test_foreign_text_cannot_begin_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(Settings())
    structlog.stdlib.get_logger("turnout").info('x\n{"event": "forged"}')
    (line,) = lines(capsys)
    assert line["event"] == 'x\n{"event": "forged"}'


def test_less_than_the_level_is_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(Settings(log_level="warning"))
    structlog.stdlib.get_logger("turnout").info("quiet")
    assert lines(capsys) == []


def test_text_is_for_terminals(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(Settings(log_format="text"))
    structlog.stdlib.get_logger("turnout").info("starting")
    assert "starting" in capsys.readouterr().out


def test_requests_and_questions_are_counted_by_what_became_of_them() -> None:
    telemetry = Telemetry()
    telemetry.count_request("patch", "httproutes.gateway.networking.k8s.io", 409)
    telemetry.count_query("default", "timeout")
    value = telemetry.registry.get_sample_value
    labels = {"verb": "patch", "resource": "httproutes.gateway.networking.k8s.io", "code": "409"}
    assert value("turnout_kubernetes_requests_total", labels) == 1
    outcome = {"provider": "default", "outcome": "timeout"}
    assert value("turnout_metric_queries_total", outcome) == 1
