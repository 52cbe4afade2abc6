from datetime import timedelta
from pathlib import Path

import pytest

from turnout.errors import Invalid
from turnout.settings import LeaseTimes, Settings


def test_defaults_serve_a_whole_cluster() -> None:
    settings = Settings.load([], {})
    assert settings.namespaces == ()
    assert settings.lease == LeaseTimes(
        duration=timedelta(seconds=15),
        renew_deadline=timedelta(seconds=10),
        retry_period=timedelta(seconds=2),
    )
    assert settings.unprotected_approvals == "Hold"
    assert settings.kubeconfig is None
    assert (settings.max_concurrent_rollouts, settings.max_concurrent_rollouts_per_namespace) == (
        0,
        0,
    )


def test_a_flag_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("logLevel: warning\nport: 1\nworkers: 2\n")
    environment = {"TURNOUT_CONFIG": str(file), "TURNOUT_PORT": "3", "TURNOUT_LOG_LEVEL": "error"}
    settings = Settings.load(["--log-level", "debug"], environment)
    assert (settings.log_level, settings.port, settings.workers) == ("debug", 3, 2)


def test_the_file_takes_both_notations(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(
        "pod_namespace: ops\nunprotectedApprovals: Accept\n"
        "metrics: {default: {url: 'http://prometheus:9090', scrapeInterval: 5s}}\n"
    )
    settings = Settings.load(["--config", str(file)], {})
    assert settings.pod_namespace == "ops"
    assert settings.unprotected_approvals == "Accept"
    assert settings.metrics["default"].scrape_interval == timedelta(seconds=5)


def test_lists_and_mappings_fit_into_one_word() -> None:
    metrics = '{"default": {"url": "https://prometheus/path", "timeout": "2s"}}'
    settings = Settings.load(["--namespaces", "a, b,", "--metrics", metrics], {})
    assert settings.namespaces == ("a", "b")
    assert settings.metrics["default"].timeout == timedelta(seconds=2)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("1m30s", 90), ("2h", 7200), ("0.5s", 0.5), ("1h1m1s", 3661)],
)
def test_durations_are_written_as_kubernetes_users_write_them(text: str, seconds: float) -> None:
    assert Settings.load(["--resync", text], {}).resync == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (["--port", "many"], "port"),
        (["--port", "70000"], "port"),
        (["--workers", "0"], "workers"),
        (["--max-concurrent-rollouts", "-1"], "maxConcurrentRollouts"),
        (["--metrics-queries-per-namespace", "-1"], "metricsQueriesPerNamespace"),
        (["--resync", "0s"], "resync"),
        (["--resync", "soon"], "resync"),
        (["--log-level", "loud"], "logLevel"),
        (["--lease", "{duration: 5s}"], "lease"),
        (["--lease", "{duration: 5s"], "lease"),
        (["--metrics", "[]"], "metrics"),
        (["--metrics", "{default: {url: 'file:///etc/passwd'}}"], "url"),
        (["--metrics", "{default: {url: 'http://user:password@host'}}"], "url"),
        (["--metrics", "{default: {url: 'http://host', podLabel: 'a b'}}"], "podLabel"),
        (["--metrics", "{default: {url: 'http://host', token: x}}"], "token"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(arguments: list[str], field: str) -> None:
    with pytest.raises(Invalid, match=field) as refused:
        Settings.load(arguments, {})
    assert refused.value.reason == "InvalidSettings"
    assert "password" not in str(refused.value)


@pytest.mark.parametrize("content", ["- a list", "a: [", "unknown: 1", "\udcff"])
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "settings.yaml"
    file.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(Invalid):
        Settings.load(["--config", str(file)], {})


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="absent"):
        Settings.load(["--config", str(tmp_path / "absent")], {})
