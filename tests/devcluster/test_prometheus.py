import json
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from devcluster import prometheus
from devcluster.processes import wait_until


def test_only_pods_that_ask_for_it_are_scraped() -> None:
    [job] = prometheus.annotated_pods(Path("/k"))["scrape_configs"]
    kept = [rule for rule in job["relabel_configs"] if rule.get("action") == "keep"]
    assert {rule["source_labels"][0].removeprefix("__meta_kubernetes_pod_") for rule in kept} == {
        "annotation_prometheus_io_scrape",
        "phase",
    }


def test_series_carry_what_ties_them_to_a_version() -> None:
    [job] = prometheus.annotated_pods(Path("/k"))["scrape_configs"]
    targets = {rule.get("target_label") for rule in job["relabel_configs"]}
    assert {"namespace", "pod", "turnout_dev_version", "turnout_dev_agent"} <= targets


def test_outside_the_cluster_prometheus_uses_its_own_account() -> None:
    [inside] = prometheus.annotated_pods(None)["scrape_configs"]
    [outside] = prometheus.annotated_pods(Path("/k"))["scrape_configs"]
    assert "kubeconfig_file" not in inside["kubernetes_sd_configs"][0]
    assert outside["kubernetes_sd_configs"][0]["kubeconfig_file"] == "/k"


@pytest.mark.light
def test_a_prometheus_alone_scrapes_what_it_is_given(tmp_path: Path) -> None:
    with prometheus.serve_prometheus(tmp_path, ["127.0.0.1:1"]) as served:
        wait_until(lambda: _query(served.url, "up") == ["0"], "a first scrape", 30)
        assert _query(served.url, "up") == ["0"]
    with pytest.raises(OSError, match="refused"):
        _query(served.url, "up")


def _query(url: str, query: str) -> list[str]:
    asked = f"{url}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    with urllib.request.urlopen(asked, timeout=5) as answer:
        result = json.load(answer)["data"]["result"]
    return [sample["value"][1] for sample in result]
