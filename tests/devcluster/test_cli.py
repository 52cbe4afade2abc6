import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from devcluster import cluster as records
from devcluster.cli import main
from devcluster.cluster import Cluster
from devcluster.paths import CHECKOUT
from devcluster.processes import Site


def test_a_cluster_that_is_not_there_is_answered_plainly(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["env", "--name", "nowhere"]) == 1
    said = capsys.readouterr()
    assert said.err.startswith("devcluster: no running cluster nowhere: python3 -m devcluster up")
    assert said.out == ""


def test_taking_away_what_is_not_there_is_no_error(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["down", "--name", "nowhere"]) == 0
    assert capsys.readouterr().out == "nowhere: there was none\n"


def test_env_prints_what_a_shell_can_evaluate(
    cache: Path, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = _recorded(cache, state)
    assert main(["env", "--name", made.name]) == 0
    script = capsys.readouterr().out + 'echo "$KUBECONFIG"; echo "$PATH"'
    kubeconfig, path = subprocess.check_output(["sh", "-c", script], text=True).splitlines()
    assert kubeconfig == str(made.kubeconfig)
    assert path.startswith(("/bin dir:/bin dir 2:", "/bin dir 2:/bin dir:"))


def test_status_tells_a_running_cluster_from_a_broken_one(
    cache: Path, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _recorded(cache, state)
    (cache / "clusters" / "half").mkdir()
    assert main(["status"]) == 0
    assert capsys.readouterr().out == (
        "demo  light  running  https://127.0.0.1:1\nhalf  ?  incomplete  \n"
    )


def test_a_record_is_read_as_it_was_written(cache: Path, state: Path) -> None:
    made = _recorded(cache, state)
    assert records.find("demo") == made
    assert set(made.pids) == {"sleeper"}


def test_the_package_runs_where_nothing_is_installed(cache: Path) -> None:
    """Only the standard library may be imported: the fresh machine has no environment yet."""
    script = (
        f"import sys; sys.path.insert(0, {str(CHECKOUT)!r})\n"
        "from devcluster.cli import main; sys.exit(main(['status']))"
    )
    run = [sys.executable, "-I", "-S", "-c", script]
    done = subprocess.run(run, env=dict(os.environ), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def _recorded(cache: Path, state: Path) -> Cluster:
    """Record a cluster whose only program sleeps."""
    directory = cache / "clusters" / "demo"
    directory.parent.mkdir(parents=True)
    directory.symlink_to(state)
    made = Cluster(
        name="demo", profile="light", state_dir=state, kubeconfig=state / "a b.kubeconfig",
        server="https://127.0.0.1:1", ca_file=state / "ca.crt", kubectl="/bin dir/kubectl",
        helm="/bin dir 2/helm",
    )  # fmt: skip
    records.save(made)
    Site(state).start("sleeper", "sleep", "60")
    assert json.loads((state / "cluster.json").read_text())["name"] == "demo"
    return made
