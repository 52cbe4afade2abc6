"""The golden tasks of the example: a lost rule is found by them, the same rules in other words not.

The stand-in is the same to the same words, so what a run says of a prompt it says each time.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.examples.mounted import EXAMPLE
from tests.examples.serving import agent, standin
from tests.support.home import Home
from turnout.api.suite import EvalSuite
from turnout.api.suite_task import SuiteTask, TaskFormat
from turnout.core.runs.golden import Golden, read_golden
from turnout.core.suites.datasets import digest, read
from turnout.core.suites.reported import Reported, read_result
from turnout.core.suites.verdict import Judgement, Reason, Suite, replay
from turnout.core.tasks import sha256
from turnout.jobs.evaluation import run as evaluation
from turnout.jobs.reach import Reach

GOLDEN = EXAMPLE / "evals" / "golden.yaml"
TEXT = GOLDEN.read_text()


@pytest.fixture(scope="module")
def golden() -> tuple[SuiteTask, ...]:
    return read(TaskFormat.YAML, TEXT, "golden.yaml")


def described(golden: tuple[SuiteTask, ...], candidate: str, baseline: str) -> dict[str, Any]:
    ask = {"protocol": "OpenAIChat", "path": "/v1/chat/completions", "calls": "$.task.calls"}
    return {
        "suite": {"name": "golden", "digest": digest(golden)},
        "candidate": {"version": "new", "digest": "x", "url": candidate},
        "baseline": {"version": "old", "digest": "y", "url": baseline},
        "ask": {**ask, "concurrency": 2},
        "sources": [{"path": str(GOLDEN), "format": "YAML", "digest": sha256(TEXT)}],
        "trials": {"min": 2, "max": 5},
    }


async def judged(
    golden: tuple[SuiteTask, ...], folder: Path, prompt: str
) -> tuple[Reported, Judgement]:
    async with (
        standin() as shop,
        agent(folder / "new", shop, prompt=prompt) as (candidate, _),
        agent(folder / "old", shop) as (baseline, _),
    ):
        found = await evaluation.run(described(golden, candidate, baseline), Reach(Home()))
    reported = read_result(found)
    return reported, replay(Suite(tuple(one.id for one in golden)), reported.rounds)


def test_the_suite_is_of_at_least_forty_tasks_that_are_held_to_their_way(
    golden: tuple[SuiteTask, ...],
) -> None:
    assert len(golden) >= 40
    assert all(one.graders[0].trajectory is not None for one in golden)


def test_the_suite_s_manifest_asks_for_these_tasks_as_they_are_asked_here() -> None:
    suite = EvalSuite.model_validate(yaml.safe_load((EXAMPLE / "evals" / "suite.yaml").read_text()))
    assert suite.spec.tasks_from[0].config_map_key_ref.key == GOLDEN.name
    assert suite.spec.runner.builtin.calls_path == "$.task.calls"
    found = read_golden(suite, [TEXT])
    assert isinstance(found, Golden)
    assert len(found.tasks) >= 40


async def test_a_prompt_that_lost_the_rule_to_look_orders_up_is_found_by_its_calls(
    golden: tuple[SuiteTask, ...], tmp_path: Path
) -> None:
    reported, judgement = await judged(golden, tmp_path, "prompt-worse")
    assert judgement.ruling.reason is Reason.REGRESSED
    assert reported.reasons == {}
    assert len(judgement.groups.regressed) >= 20
    assert set(judgement.ruling.blamed) == set(judgement.groups.regressed)
    assert not any(name.startswith("question") for name in judgement.groups.regressed)
    assert judgement.baseline is not None
    assert judgement.baseline.value == 1


async def test_the_same_rules_in_other_words_pass(
    golden: tuple[SuiteTask, ...], tmp_path: Path
) -> None:
    _, judgement = await judged(golden, tmp_path, "prompt-reworded")
    assert judgement.ruling.reason is Reason.SAFE
    assert judgement.candidate is not None
    assert judgement.candidate.value == 1
