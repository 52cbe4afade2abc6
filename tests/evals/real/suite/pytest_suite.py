"""The tasks as pytest tests; `pytest-repeat` runs each several times."""

import urllib.error

import pytest
from customer import TASKS, ask


@pytest.fixture
def answer(request: pytest.FixtureRequest) -> str:
    """The agent's answer; an agent that is down is an error of the set-up, not a failure."""
    try:
        return ask(str(request.getfixturevalue("task")["input"]))
    except urllib.error.URLError as error:
        raise RuntimeError("the agent does not answer") from error


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task["id"])
def test_task(task: dict[str, str], answer: str) -> None:
    assert task["expects"] in answer


@pytest.mark.skip(reason="nothing to ask yet")
def test_later() -> None:
    raise AssertionError
