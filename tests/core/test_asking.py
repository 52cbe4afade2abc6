"""One question to an outside system: when it is asked, what is asked again, who is believed."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.support.registries import FIND, HOLD, SERVER, RegistryLife, offer, told
from turnout.core.plan import Create, Record, Remove
from turnout.core.tasks import MOST_BYTES, Problem, Progress, SecretKey, Task, read_answer, sha256
from turnout.simulation.cluster import Document

SECRET = {"name": "Authorization", "secretKeyRef": {"name": "crm", "key": "token"}}


def asking(**spec: Any) -> RegistryLife:
    life = RegistryLife(**spec)
    life.settle()
    assert life.asks
    return life


def the_job(life: RegistryLife) -> Document:
    (job,) = life.all("Job")
    return job


def variables(job: Document) -> dict[str, Any]:
    """Give the environment of a Job's container: values, and where others come from."""
    container = job["spec"]["template"]["spec"]["containers"][0]
    return {one["name"]: one.get("value", one.get("valueFrom")) for one in container["env"]}


# the record and the Job


def test_the_question_is_on_record_before_its_job_is_made() -> None:
    life = RegistryLife()
    record, create = life.look().actions
    assert isinstance(record, Record)
    assert isinstance(create, Create)
    task = record.status["task"]
    assert create.manifest["metadata"]["name"] == task["job"]
    assert task["nonceHash"] == sha256(variables(the_job(life))["TURNOUT_NONCE"])
    assert variables(the_job(life))["TURNOUT_NONCE"] not in json.dumps(record.status)


def test_a_job_has_no_rights_and_ends_by_itself() -> None:
    job = the_job(asking())
    spec, pod = job["spec"], job["spec"]["template"]["spec"]
    assert (spec["backoffLimit"], spec["activeDeadlineSeconds"]) == (1, 120)
    assert spec["ttlSecondsAfterFinished"] == 600
    assert pod["automountServiceAccountToken"] is False
    assert "serviceAccountName" not in pod
    (volume,) = pod["volumes"]
    (source,) = volume["projected"]["sources"]
    assert source["serviceAccountToken"]["audience"] == "turnout.dev/report"
    assert pod["securityContext"]["runAsNonRoot"] is True
    security = pod["containers"][0]["securityContext"]
    assert security["readOnlyRootFilesystem"] is True
    assert security["capabilities"] == {"drop": ["ALL"]}
    (owner,) = job["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["controller"]) == ("ToolRegistry", "tools", True)


def test_a_jobs_secrets_are_named_and_never_read() -> None:
    shop = SERVER | {"name": "shop", "headersFrom": [SECRET | {"name": "X-Shop"}]}
    environment = variables(the_job(asking(servers=[SERVER | {"headersFrom": [SECRET]}, shop])))
    reference = {"secretKeyRef": {"name": "crm", "key": "token", "optional": True}}
    assert environment["TURNOUT_SECRET_0"] == environment["TURNOUT_SECRET_1"] == reference
    servers = json.loads(environment["TURNOUT_TASK"])["description"]["servers"]
    assert [one["headers"][0]["secret"] for one in servers] == [0, 1]
    assert servers[0]["headers"][0]["from"] == "key token of Secret crm"


def test_no_word_of_a_task_is_a_variable_of_the_kubelet() -> None:
    task = Task("tools", {"url": "https://x/$(TURNOUT_SECRET_0)"}, (SecretKey("crm", "token"),))
    assert "$" not in task.text
    assert json.loads(task.text)["description"]["url"] == "https://x/$(TURNOUT_SECRET_0)"


def test_a_question_that_does_not_fit_is_not_asked() -> None:
    life = RegistryLife(
        servers=[SERVER | {"name": f"s{i}", "url": f"https://s/{'x' * 490}"} for i in range(32)],
        tools=[FIND | {"name": f"{'t' * 120}{i}", "server": f"s{i % 32}"} for i in range(256)],
    )
    life.settle()
    assert not life.all("Job")
    assert f"at most {MOST_BYTES} fit" in life.condition("Resolved").message
    assert "InvalidSpec" in life.condition("Resolved").message


def test_where_no_jobs_are_run_that_is_said() -> None:
    life = RegistryLife()
    life.way = None
    life.settle()
    assert life.condition("Resolved").message == (
        "not discovered yet: orders.find; the operator was given no image to run Jobs with "
        "(jobs.image) (JobsDisabled)"
    )


# answers


def test_an_answer_without_the_word_is_not_taken() -> None:
    life = asking()
    life.answer({"servers": [offer(told())]}, word="guessed")
    assert life.asks
    assert life.status.content_ref is None


def test_a_second_answer_is_not_taken() -> None:
    life = asking()
    life.report(offer(told()))
    before = life.status
    life.report(offer(told(description="Later.")))
    assert life.status == before


def test_an_edit_asks_anew_and_ends_the_job_that_nobody_waits_for() -> None:
    life = asking()
    first = the_job(life)["metadata"]["name"]
    life.edit(tools=[FIND, FIND | {"name": "orders.drop"}])
    outcome = life.look()
    assert [type(one) for one in outcome.actions] == [Record, Remove, Create]
    assert the_job(life)["metadata"]["name"] != first


def test_only_the_newest_job_is_kept() -> None:
    life = asking(drift=HOLD)
    life.report(offer(told()))
    for _ in range(3):
        life.poll(offer(told()))
    assert len(life.all("Job")) == 1


def test_an_edit_before_the_job_was_seen_asks_anew_too() -> None:
    life = asking()
    del life.objects["Job", the_job(life)["metadata"]["name"]]
    life.edit(tools=[FIND, FIND | {"name": "orders.drop"}])
    assert [type(one) for one in life.look().actions] == [Record, Create]


# what goes wrong


def failed(life: RegistryLife) -> None:
    the_job(life)["status"] = {
        "conditions": [{"type": "Failed", "status": "True", "reason": "OOM"}]
    }


def failed_without_a_word(life: RegistryLife) -> None:
    the_job(life)["status"] = {"conditions": [{"type": "Failed", "status": "True"}]}


def gone(life: RegistryLife) -> None:
    del life.objects["Job", the_job(life)["metadata"]["name"]]


def late(life: RegistryLife) -> None:
    life.let_pass(135)


def refused(life: RegistryLife) -> None:
    life.refused = "exceeded quota"


@pytest.mark.parametrize(
    ("happens", "said"),
    [
        (failed, "failed: OOM"),
        (failed_without_a_word, "failed: Failed"),
        (gone, "is gone"),
        (late, "did not answer in time"),
        (refused, "the API server refuses the Job: exceeded quota"),
    ],
)
def test_a_job_that_brings_nothing_is_said_and_made_again_later(happens: Any, said: str) -> None:
    life = asking()
    happens(life)
    life.settle()
    assert not life.asks
    assert said in life.condition("Resolved").message
    assert life.due == timedelta(seconds=10)
    life.refused = None
    life.let_pass(10)
    life.settle()
    assert life.asks
    assert said in life.condition("Resolved").message
    life.report(offer(told()))
    assert life.said("Resolved") == "True Discovered"


def test_a_job_under_way_is_waited_for() -> None:
    life = asking()
    the_job(life)["status"] = {"conditions": [{"type": "Failed", "status": "False"}]}
    assert life.due == timedelta(seconds=135)
    assert life.asks


def test_failures_in_a_row_are_asked_again_ever_later_up_to_five_minutes() -> None:
    life = asking(drift=HOLD)
    pauses = []
    for _ in range(8):
        life.answer({}, Problem("Unreachable", "no answer"))
        pause = life.due
        assert pause is not None
        pauses.append(pause.total_seconds())
        life.let_pass(pause.total_seconds())
        life.settle()
    assert pauses == [10, 20, 40, 80, 160, 300, 300, 300]
    life.report(offer(told()))
    assert life.status.task is not None
    assert life.status.task.failures == 0


# reports as they arrive


def test_a_report_is_read_with_its_word_hashed() -> None:
    answer = read_answer("word", '{"result": {"a": 1}}')
    assert (answer.nonce_hash, answer.result, answer.problem) == (sha256("word"), {"a": 1}, None)
    told_in_part = '{"result": {}, "problem": {"reason": "R", "message": "m"}}'
    assert read_answer("word", told_in_part).problem == Problem("R", "m")
    assert read_answer("word", '{"problem": {}}').problem == Problem("", "")


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"result": 7}', '{"problem": 7}', '{"result": {}, "problem": []}']
)
def test_a_report_of_another_shape_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="the report"):
        read_answer("word", text)


def test_how_far_a_job_is_is_no_answer() -> None:
    told = '{"progress": {"done": 3, "total": 8, "secondsLeft": 1.5}}'
    assert read_answer("word", told).progress == Progress(3, 8, 1.5)


@pytest.mark.parametrize(
    "text",
    [
        '{"progress": 3}',
        '{"progress": {"done": 3, "total": 2, "secondsLeft": 1}}',
        '{"progress": {"done": -1, "total": 2, "secondsLeft": 1}}',
        '{"progress": {"done": 1, "total": 2, "secondsLeft": -1}}',
        '{"progress": {"done": 1, "total": 2, "secondsLeft": 1e9}}',
        '{"progress": {"done": "1", "total": 2, "secondsLeft": 1}}',
    ],
)
def test_progress_of_another_shape_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="another shape"):
        read_answer("word", text)
