"""What kind would be asked to do; only a machine with a Docker engine can do it."""

import json
from pathlib import Path

import pytest

from devcluster import docker, gateway, golang, kind, lifecycle, prometheus
from devcluster.catalog import ENVOY_GATEWAY, pinned_version


def test_a_machine_with_a_docker_engine_gets_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker, "engine_runs", lambda: True)
    assert lifecycle.recipe_for("node").start is kind.up
    assert lifecycle.recipe_for("light").start is not kind.up


def test_a_machine_without_one_gets_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker, "engine_runs", lambda: False)
    assert lifecycle.recipe_for("node").start is not kind.up
    assert "kubelet" in lifecycle.recipe_for("node").programs


def test_the_cluster_is_created_with_its_own_kubeconfig(tmp_path: Path) -> None:
    command = kind.create_command("turnout-1", tmp_path)
    assert command[1:5] == ["create", "cluster", "--name", "turnout-1"]
    assert f"--kubeconfig={tmp_path / 'admin.kubeconfig'}" in command
    assert f"--config={tmp_path / 'kind.json'}" in command


def test_an_image_is_loaded_into_the_cluster_by_name() -> None:
    assert kind.load_command("turnout-1", "turnout.dev/operator:dev")[1:] == [
        "load", "docker-image", "turnout.dev/operator:dev", "--name", "turnout-1",
    ]  # fmt: skip


def test_the_node_writes_its_audit_log_into_the_state_directory(tmp_path: Path) -> None:
    [node] = kind.configuration(tmp_path)["nodes"]
    [mount] = node["extraMounts"]
    kubeadm = json.loads(node["kubeadmConfigPatches"][0])["apiServer"]
    arguments = {argument["name"]: argument["value"] for argument in kubeadm["extraArgs"]}
    assert mount["hostPath"] == str(tmp_path)
    assert arguments["audit-log-path"] == f"{mount['containerPath']}/logs/audit.log"
    assert arguments["audit-policy-file"] == f"{mount['containerPath']}/audit-policy.yaml"
    assert kubeadm["extraVolumes"][0]["mountPath"] == mount["containerPath"]


def test_envoy_listens_on_the_node_and_logs_the_same_fields() -> None:
    spec = kind.envoy_proxy()["spec"]
    kubernetes = spec["provider"]["kubernetes"]
    [port] = kubernetes["envoyService"]["patch"]["value"]["spec"]["ports"]
    [log] = spec["telemetry"]["accessLog"]["settings"]
    assert (port["port"], port["nodePort"]) == (gateway.PORT, kind._GATEWAY_PORT)
    assert log["format"]["json"] == gateway._ACCESS_LOG_FIELDS
    mounts = kubernetes["envoyDeployment"]["container"]["volumeMounts"]
    assert log["sinks"][0]["file"]["path"].startswith(mounts[0]["mountPath"])


def test_the_gateway_s_chart_is_filled_in_with_the_pinned_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chart = tmp_path / "module" / "charts" / "gateway-helm"
    chart.mkdir(parents=True)
    (chart / "values.tmpl.yaml").write_text("a: ${GatewayImage}\nb: ${GatewayImagePullPolicy}\n")
    monkeypatch.setattr(golang, "module_directory", lambda _group, _module: tmp_path / "module")
    command = kind.install_gateway_command(tmp_path)
    version = pinned_version(ENVOY_GATEWAY, "github.com/envoyproxy/gateway")
    values = (tmp_path / "gateway-values.yaml").read_text()
    assert values == f"a: docker.io/envoyproxy/gateway:{version}\nb: IfNotPresent\n"
    assert f"--values={tmp_path / 'gateway-values.yaml'}" in command
    assert "--skip-crds" in command


def test_prometheus_is_the_pinned_one_and_finds_the_same_pods() -> None:
    manifest = kind.prometheus_manifest()
    assert "image: docker.io/prom/prometheus:v3." in manifest
    assert json.dumps(prometheus.annotated_pods(None)) in manifest
    assert "PROMETHEUS_" not in manifest


@pytest.mark.needs_kind
@pytest.mark.skipif(not docker.engine_runs(), reason="no Docker engine runs here")
def test_a_kind_cluster_serves_and_goes() -> None:
    made = lifecycle.up("node", "turnout-kind-test")
    try:
        assert made.engine == "kind"
        assert made.whole
    finally:
        lifecycle.down("turnout-kind-test")
    assert not docker.container_runs(docker.kind_node("turnout-kind-test"))
