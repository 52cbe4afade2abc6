"""The task `prompt`: a text from Langfuse or MLflow, or a sentence why there is none."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.home import Home
from tests.support.operator import free_port
from tests.support.prompt_servers import (
    BEARER,
    MODEL,
    PUBLIC,
    SECRET,
    Registry,
    serve_langfuse,
    serve_mlflow,
)
from turnout.api.prompt import LONGEST_TEXT
from turnout.errors import TaskFailed
from turnout.jobs.addresses import Borders
from turnout.jobs.prompt import run
from turnout.jobs.reach import Reach

NAME = "support/system"
KEYS: dict[str, tuple[str | None, ...]] = {"langfuse": (PUBLIC, SECRET), "mlflow": (BEARER,)}
NAMED = {
    "langfuse": ["key public-key of Secret langfuse", "key secret-key of Secret langfuse"],
    "mlflow": ["key token of Secret mlflow"],
}


@pytest.fixture(params=["langfuse", "mlflow"])
def system(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def registry(system: str) -> Iterator[Registry]:
    with serve_langfuse() if system == "langfuse" else serve_mlflow() as made:
        made.add(NAME, 1, "You help.\n")
        made.add(NAME, 2, "You help {{name}} — well.", pointer="production")
        made.add("chatty", 1, [{"role": "system", "content": "You help."}])
        yield made


async def ask(
    registry: Registry,
    system: str,
    keys: tuple[str | None, ...] | None = None,
    borders: Borders | None = None,
    **which: Any,
) -> dict[str, Any]:
    asked = {"system": system, "url": registry.url, "name": NAME, "secrets": NAMED[system]}
    reach = Reach(borders or Home(), KEYS[system] if keys is None else keys)
    return dict(await run(asked | which, reach))


async def problem(registry: Registry, system: str, **how: Any) -> str:
    with pytest.raises(TaskFailed) as failed:
        await ask(registry, system, **how)
    return failed.value.reason


async def test_a_version_is_read_byte_by_byte(registry: Registry, system: str) -> None:
    found = await ask(registry, system, version=1)
    assert found == {"version": "1", "text": "You help.\n"}


async def test_what_points_at_a_version_gives_its_number(registry: Registry, system: str) -> None:
    found = await ask(registry, system, pointer="production")
    assert found == {"version": "2", "text": "You help {{name}} — well."}


@pytest.mark.parametrize("which", [{"version": 9}, {"pointer": "nobody"}, {"name": "x"}])
async def test_what_is_not_there_is_not_found(
    registry: Registry, system: str, which: dict[str, Any]
) -> None:
    assert await problem(registry, system, **{"version": 1} | which) == "NotFound"


async def test_a_chat_prompt_is_no_text(registry: Registry, system: str) -> None:
    assert await problem(registry, system, name="chatty", version=1) == "Unsupported"


async def test_wrong_credentials_are_refused_without_a_word_of_them(
    registry: Registry, system: str
) -> None:
    with pytest.raises(TaskFailed, match="refused with 401") as failed:
        await ask(registry, system, keys=("hush", "hush"), version=1)
    assert "hush" not in str(failed.value)


async def test_a_missing_secret_is_named(registry: Registry, system: str) -> None:
    with pytest.raises(TaskFailed, match=f"Secret {system} does not exist") as failed:
        await ask(registry, system, keys=(None, None), version=1)
    assert failed.value.reason == "SecretMissing"
    assert registry.asked == []


async def test_a_server_that_is_unwell_is_named_by_its_status(
    registry: Registry, system: str
) -> None:
    registry.status = 503
    with pytest.raises(TaskFailed, match="status 503"):
        await ask(registry, system, version=1)


async def test_a_text_that_no_prompt_may_have_is_too_large(registry: Registry, system: str) -> None:
    registry.add(NAME, 3, "x" * (LONGEST_TEXT + 1))
    assert await problem(registry, system, version=3) == "TooLarge"


async def test_an_answer_without_json_is_unreadable(registry: Registry, system: str) -> None:
    registry.status = 200
    assert await problem(registry, system, version=1) == "Unreadable"


async def test_nothing_on_the_machine_itself_is_asked(registry: Registry, system: str) -> None:
    assert await problem(registry, system, borders=Borders(), version=1) == "AddressRefused"
    assert registry.asked == []


async def test_a_server_that_is_away_is_unreachable(registry: Registry, system: str) -> None:
    registry.url = f"http://localhost:{free_port()}"
    assert await problem(registry, system, version=1) == "Unreachable"


async def test_a_model_is_not_a_prompt() -> None:
    with serve_mlflow() as registry:
        registry.add("model", 1, MODEL)
        assert await problem(registry, "mlflow", name="model", version=1) == "Unsupported"
