"""The task `prompt` against a real MLflow server, which is installed for it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from devcluster.paths import cache, short_hash
from tests.support.home import Home
from tests.support.kubectl import eventually
from tests.support.operator import ROOT, free_port
from turnout.errors import TaskFailed
from turnout.jobs.prompt import run
from turnout.jobs.reach import Reach

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

LOCK = ROOT / "requirements" / "mlflow.txt"
WRITE = """
import mlflow
mlflow.set_tracking_uri({url!r})
write = mlflow.genai.register_prompt
write(name="support-system", template="You help {{{{name}}}}.")
write(name="support-system", template="You help well.\\n")
mlflow.genai.set_prompt_alias("support-system", "production", 1)
write(name="chatty", template=[{{"role": "system", "content": "You help."}}])
"""


@pytest.fixture(scope="module")
def python() -> Path:
    """An environment with MLflow, made once for each lock."""
    home = cache() / f"mlflow-{short_hash(LOCK.read_text(), 12)}"
    program = home / "bin" / "python"
    uv = Path(sys.executable).with_name("uv")
    if not (home / "whole").exists():
        subprocess.run([uv, "venv", "--clear", "--quiet", home], check=True)
        words = ["pip", "install", "--quiet", "--require-hashes", "--python", str(program)]
        subprocess.run([uv, *words, "-r", str(LOCK)], check=True)
        (home / "whole").touch()
    return program


@pytest.fixture(scope="module")
def server(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with two versions of a prompt, an alias and a chat prompt."""
    home, port = tmp_path_factory.mktemp("mlflow"), free_port()
    url = f"http://127.0.0.1:{port}"
    words = ["server", "--backend-store-uri", f"sqlite:///{home}/db", "--port", str(port)]
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [python.with_name("mlflow"), *words, "--host", "127.0.0.1", "--workers", "1"],
            stdout=log,
            stderr=log,
            cwd=home,
            env=environment,
            start_new_session=True,
        )
    try:
        eventually(
            "MLflow listens", lambda: b"startup complete" in (home / "log").read_bytes(), 240
        )
        subprocess.run([python, "-c", WRITE.format(url=url)], check=True, cwd=home)
        yield url
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)


async def ask(server: str, **which: object) -> dict[str, object]:
    asked = {"system": "mlflow", "url": server, "name": "support-system"}
    return dict(await run(asked | which, Reach(Home())))


async def test_a_version_is_read_byte_by_byte(server: str) -> None:
    assert await ask(server, version=2) == {"version": "2", "text": "You help well.\n"}


async def test_an_alias_gives_the_version_that_it_points_at(server: str) -> None:
    found = await ask(server, pointer="production")
    assert found == {"version": "1", "text": "You help {{name}}."}


@pytest.mark.parametrize(
    ("which", "reason"),
    [
        ({"version": 9}, "NotFound"),
        ({"pointer": "nobody"}, "NotFound"),
        ({"name": "nobody", "version": 1}, "NotFound"),
        ({"name": "chatty", "version": 1}, "Unsupported"),
    ],
)
async def test_what_cannot_be_taken_is_said(
    server: str, which: dict[str, object], reason: str
) -> None:
    with pytest.raises(TaskFailed) as failed:
        await ask(server, **which)
    assert failed.value.reason == reason
