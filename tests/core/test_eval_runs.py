"""Runs of suites: unwired pods, one Job, an answer that is judged again, and an end in any case."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.manifests import agent
from tests.support.run_life import (
    CANDIDATE,
    DIGESTS,
    OTHER,
    STABLE,
    TASKS,
    RunLife,
    rounds,
    suite,
    task,
    version,
)
from tests.support.source_life import WAY
from turnout.adapters.pods import pod
from turnout.api.evalrun import EvalPhase
from turnout.core import naming
from turnout.core.plan import Create, Record
from turnout.core.runs.decide import decide_run
from turnout.core.tasks import Answer, Problem, sha256
from turnout.core.world import Unread
from turnout.jobs.evaluation.order import Evaluation

ALL = "p" * len(TASKS)
WORSE = "f" * 6 + "p" * 6
PASSES = rounds(ALL, ALL, 10)
PODS = {f"{STABLE}-eval", f"{CANDIDATE}-eval"}


def asked(**spec: Any) -> RunLife:
    life = RunLife(**spec)
    life.ask()
    return life


def ended(result: dict[str, Any], **spec: Any) -> RunLife:
    life = asked(**spec)
    life.answer(result)
    return life


def waiting_pods() -> RunLife:
    life = RunLife()
    life.settle()
    return life


# how it is begun


def test_what_a_run_is_begun_with_is_on_record_before_anything_is_made() -> None:
    life = RunLife()
    (record,) = life.look().actions
    assert isinstance(record, Record)
    plan = life.status.plan
    assert plan is not None
    assert (plan.version.version, plan.baseline.version) == (CANDIDATE, STABLE)
    assert (plan.agent, plan.suite.name, plan.fewest, plan.most) == ("support", "core", 2, 10)
    assert plan.limit == 3 * 60 * 10
    assert life.said("Started") == "True Started"


def test_both_versions_get_pods_that_no_user_reaches() -> None:
    life = waiting_pods()
    assert set(life.made("Deployment")) == set(life.made("Service")) == PODS
    live = {"turnout.dev/agent": "support", "turnout.dev/mode": "live"}
    for one in life.all("Deployment"):
        pod = one["spec"]["template"]
        labels, env = pod["metadata"]["labels"], pod["spec"]["containers"][0]["env"]
        assert {"name": "TURNOUT_MODE", "value": "eval"} in env
        assert labels["turnout.dev/mode"] == "eval"
        assert not live.items() <= labels.items()
        assert one["spec"]["selector"]["matchLabels"].items() <= labels.items()
        assert one["spec"]["replicas"] == 1
        assert pod["spec"]["automountServiceAccountToken"] is False
        assert pod["spec"]["serviceAccountName"] == life.made("ServiceAccount")[0]
    for one in life.all("Service"):
        assert one["spec"]["selector"][naming.RUN_LABEL] == "by-hand"
        assert one["spec"]["selector"]["turnout.dev/mode"] == "eval"


def test_versions_with_tools_get_stubs_beside_them_and_others_do_not() -> None:
    plain = waiting_pods()
    for one in plain.all("Deployment"):
        assert "initContainers" not in one["spec"]["template"]["spec"]
    life = RunLife()
    life.files = ("agent.json", "tools.json")
    life.settle()
    for one in life.all("Deployment"):
        pod = one["spec"]["template"]["spec"]
        (server,) = pod["initContainers"]
        assert server["image"] == WAY.image
        mounted = {one["mountPath"]: one["name"] for one in pod["containers"][0]["volumeMounts"]}
        assert mounted["/etc/turnout"] == "turnout-stubs"


def test_a_stub_server_that_does_not_start_is_named() -> None:
    life = waiting_pods()
    waits = {"name": "turnout-stubs", "state": {"waiting": {"reason": "ErrImagePull"}}}
    life.pods_of[CANDIDATE] = [life.pod(CANDIDATE, initContainerStatuses=[waits])]
    life.settle()
    assert "container turnout-stubs ErrImagePull" in (life.status.message or "")


def test_everything_that_is_made_goes_with_the_run() -> None:
    life = asked()
    mine = ("Deployment", "Service", "ServiceAccount", "NetworkPolicy", "ConfigMap", "Job")
    made = [one for kind in mine for one in life.all(kind)]
    assert len(made) == 8
    uid = life.run.metadata.uid
    assert {one["metadata"]["ownerReferences"][0]["uid"] for one in made} == {uid}


def test_the_network_lets_in_the_runs_own_job_and_out_no_private_network() -> None:
    life = waiting_pods()
    (policy,) = life.all("NetworkPolicy")
    spec = policy["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert spec["podSelector"]["matchLabels"]["turnout.dev/eval-run"] == "by-hand"
    job = {"podSelector": {"matchLabels": {"batch.kubernetes.io/job-name": "by-hand"}}}
    assert spec["ingress"] == [{"from": [job], "ports": [{"protocol": "TCP", "port": 8080}]}]
    names, own, public = spec["egress"]
    assert {one["port"] for one in names["ports"]} == {53}
    assert own == {"to": [{"podSelector": {}}]}
    assert "169.254.0.0/16" in public["to"][0]["ipBlock"]["except"]


def test_account_and_network_are_there_before_a_pod_is() -> None:
    life = RunLife()
    life.look()
    kinds = [one.manifest["kind"] for one in life.look().actions if isinstance(one, Create)]
    assert kinds[:3] == ["ServiceAccount", "NetworkPolicy", "ConfigMap"]
    assert kinds.index("Deployment") == 3


def test_a_service_with_a_protocol_keeps_it() -> None:
    life = RunLife()
    traffic = life.get("Agent", "support")["spec"]["traffic"]
    traffic["service"]["appProtocol"] = "http"
    life.settle()
    assert life.all("Service")[0]["spec"]["ports"][0]["appProtocol"] == "http"


# what is asked


def test_the_job_is_asked_once_both_versions_can_be_asked() -> None:
    life = waiting_pods()
    assert life.made("Job") == []
    life.start(CANDIDATE)
    life.settle()
    assert life.made("Job") == []
    assert life.status.message == f"no pod of {STABLE} is ready"
    life.start()
    life.settle()
    assert life.made("Job") == ["by-hand"]
    assert life.status.phase is EvalPhase.RUNNING
    assert life.said("Completed") == "Unknown TrialsRunning"


def test_the_job_gets_the_tasks_as_files_and_is_told_their_digests() -> None:
    life = RunLife()
    source = {"configMapKeyRef": {"name": "golden", "key": "more.jsonl"}, "format": "JSONL"}
    life.store(suite(tasksFrom=[source], trials={"min": 3, "max": 6}))
    row = '{"id":"more","input":"And?","graders":[{"name":"a","exact":{"text":"b"}}]}\n'
    life.texts = [row]
    life.ask()
    (job,) = life.all("Job")
    pod = job["spec"]["template"]["spec"]
    mounted = {one["mountPath"] for one in pod["containers"][0]["volumeMounts"]}
    assert mounted == {
        "/var/run/turnout", "/var/run/turnout-suite/0", "/var/run/turnout-suite/1",
    }  # fmt: skip
    maps = [one["configMap"]["name"] for one in pod["volumes"] if "configMap" in one]
    assert maps == [life.made("ConfigMap")[0], "golden"]
    text = next(e["value"] for e in pod["containers"][0]["env"] if e["name"] == "TURNOUT_TASK")
    for word in (f"http://{CANDIDATE}-eval.demo.svc:8080", sha256(row), '"min":3'):
        assert word in text
    assert job["metadata"]["annotations"][naming.NONCE_HASH] == sha256(life.word)


def test_what_is_asked_is_what_the_runner_reads() -> None:
    life = asked()
    (container,) = life.all("Job")[0]["spec"]["template"]["spec"]["containers"]
    text = next(e["value"] for e in container["env"] if e["name"] == "TURNOUT_TASK")
    told = Evaluation.model_validate(json.loads(text)["description"])
    assert (told.candidate.version, told.trials.max) == (CANDIDATE, 10)
    assert told.baseline is not None
    assert told.baseline.version == STABLE
    assert told.ask.of(told.candidate).url == (
        f"http://{CANDIDATE}-eval.demo.svc:8080/v1/chat/completions"
    )


def test_pods_that_are_evaluated_are_no_pods_of_the_agent() -> None:
    live: dict[str, Any] = {
        "metadata": {
            "name": "p",
            "labels": {naming.VERSION_LABEL: STABLE, naming.MODE_LABEL: "live"},
            "resourceVersion": "1",
            "creationTimestamp": "2026-01-01T00:00:00Z",
        }
    }
    assert pod(live) is not None
    live["metadata"]["labels"][naming.MODE_LABEL] = "eval"
    assert pod(live) is None


@pytest.mark.parametrize(
    ("runner", "seconds"),
    [
        ({}, 3 * 60 * 10),
        ({"concurrency": 64, "timeoutPerTask": "1s"}, 60),
        ({"perMinute": 1}, 12 * 60 * 10),
        ({"concurrency": 1, "timeoutPerTask": "10m"}, 6 * 3600),
    ],
)
def test_trials_get_as_long_as_they_may_take(runner: dict[str, Any], seconds: int) -> None:
    life = RunLife()
    life.store(suite(runner={"builtin": runner}))
    life.look()
    assert life.status.plan is not None
    assert life.status.plan.limit == seconds


def test_how_far_the_job_is_stands_in_the_status_until_the_end() -> None:
    life = asked()
    life.progress(6, 24, 30.0)
    told = life.status.progress
    assert told is not None
    assert (told.share, told.done, told.total) == ("25%", 6, 24)
    assert told.eta is not None
    assert (told.eta - life.now).total_seconds() == 30
    life.progress(0, 0, 0.0)
    assert life.status.progress is not None
    assert life.status.progress.share == "0%"
    life.answer(PASSES)
    assert life.status.progress is None


# how it ends


def test_a_version_that_is_no_worse_passes() -> None:
    life = ended(PASSES)
    status = life.status
    assert status.phase is EvalPhase.PASSED
    assert life.said("Completed") == "True Passed"
    assert status.pass_rate is not None
    assert status.pass_rate.value == "100.00%"
    assert status.counts is not None
    assert (status.counts.failed, status.counts.errored) == (0, 0)
    assert status.regressed == ()
    assert status.task is not None
    assert status.task.ended_at == status.finished_at
    assert [one.reason for one in life.events] == ["EvalPassed"]


def test_a_version_that_breaks_tasks_fails_and_names_them() -> None:
    life = ended(rounds(WORSE, ALL, 10))
    status = life.status
    assert status.phase is EvalPhase.FAILED
    assert {*status.regressed} == {*TASKS[:6]}
    assert status.regressed_count == 6
    assert status.reason == "Regressed"
    assert all(name in (status.message or "") for name in TASKS[:6])
    assert status.tasks[0].id in TASKS[:6]
    assert [one.warning for one in life.events] == [True]


def test_a_task_that_must_pass_fails_the_run_alone() -> None:
    life = RunLife()
    tasks = [task(name, mustPass=name == TASKS[3]) for name in TASKS]
    life.store(suite(tasks=tasks))
    life.ask()
    life.answer(rounds(ALL[:3] + "f" + ALL[4:], ALL, 2))
    assert (life.status.phase, life.status.reason) == (EvalPhase.FAILED, "MustPassFailed")


def test_errors_are_neither_passed_nor_failed() -> None:
    result = rounds("e" * 12, ALL, 10) | {"reasons": {"TimedOut": 120}}
    life = ended(result)
    assert (life.status.phase, life.status.reason) == (EvalPhase.INCONCLUSIVE, "TooManyErrors")
    assert life.said("Completed") == "False TooManyErrors"
    assert [(one.reason, one.count) for one in life.status.errors] == [("TimedOut", 120)]
    assert "8 more" not in (life.status.message or "")
    assert "and 4 more" in (life.status.message or "")
    assert life.status.pass_rate is None


def test_rounds_that_end_too_soon_are_no_verdict() -> None:
    life = ended(rounds(ALL, ALL, 1))
    assert (life.status.phase, life.status.reason) == (EvalPhase.INCONCLUSIVE, "Unfinished")


@pytest.mark.parametrize(
    "result",
    [
        {},
        {"tasks": list(TASKS)},
        PASSES | {"tasks": [*TASKS[1:], "another"]},
        PASSES | {"rounds": []},
        rounds(ALL, ALL, 11),
        rounds(ALL[1:], ALL, 10),
        rounds("x" * 12, ALL, 10),
        PASSES | {"verdict": "Pass", "rounds": [7]},
    ],
    ids=range(8),
)
def test_what_is_no_result_of_this_suite_is_no_verdict(result: dict[str, Any]) -> None:
    life = ended(result)
    assert (life.status.phase, life.status.reason) == (EvalPhase.INCONCLUSIVE, "UnparsableResult")


JUNK = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda one: st.lists(one) | st.dictionaries(st.text(), one),
)
ASKED = asked()


@given(JUNK)
def test_nothing_but_a_result_makes_a_run_pass(told: Any) -> None:
    result = {"tasks": list(TASKS), "rounds": told}
    outcome = decide_run(ASKED.world(Answer(sha256(ASKED.word), result)))
    (record,) = outcome.actions
    assert isinstance(record, Record)
    assert record.status["phase"] == "Inconclusive"


def test_a_problem_is_no_verdict_and_what_came_besides_is_told() -> None:
    life = asked()
    life.answer(PASSES, Problem("TimedOut", "no end within 1800s"))
    assert (life.status.phase, life.status.reason) == (EvalPhase.INCONCLUSIVE, "TimedOut")
    assert life.status.counts is not None
    life = asked()
    life.answer({}, Problem("Not a word\x1b", "\x1b[31m"))
    assert (life.status.phase, life.status.reason) == (EvalPhase.INCONCLUSIVE, "Unreadable")
    assert "\x1b" not in (life.status.message or "")
    assert life.status.counts is None


def test_an_answer_by_another_word_counts_for_nothing() -> None:
    life = asked()
    life.look(Answer(sha256("guessed"), PASSES))
    assert life.status.phase is EvalPhase.RUNNING


def test_two_thousand_tasks_leave_a_status_under_a_hundred_kilobytes() -> None:
    names = [f"{number:04d}-{'x' * 58}" for number in range(2000)]
    life = RunLife()
    lines = [
        f'{{"id":"{name}","input":"a","graders":[{{"name":"a","exact":{{"text":"b"}}}}]}}'
        for name in names
    ]
    source = {"configMapKeyRef": {"name": "golden", "key": "g"}, "format": "JSONL"}
    life.store(suite(tasks=[], tasksFrom=[source]))
    life.texts = ["\n".join(lines)]
    life.ask()
    letters = "f" * 60 + "p" * 1940
    result = {"candidate": letters, "baseline": "p" * 2000}
    life.answer({"tasks": names, "rounds": [result] * 2})
    status = life.status
    assert status.phase is EvalPhase.FAILED
    assert (status.regressed_count, len(status.regressed)) == (60, 50)
    assert len(status.model_dump_json(by_alias=True, exclude_none=True)) < 100_000
    assert status.omitted is not None
    assert status.omitted + len(status.tasks) == 2000


# what goes wrong


@pytest.mark.parametrize(
    ("container", "reason"),
    [
        ({"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no"}}}, "ImagePull"),
        ({"lastState": {"terminated": {"reason": "OOMKilled"}}}, "OOMKilled"),
        ({"state": {"waiting": {"reason": "CrashLoopBackOff"}}}, "NotReady"),
        ({"state": {"waiting": {"reason": "ContainerCreating"}}}, "NotReady"),
    ],
)
def test_pods_that_do_not_come_are_no_verdict(container: dict[str, Any], reason: str) -> None:
    life = waiting_pods()
    life.start(STABLE)
    states = [{"name": "agent"} | container]
    life.pods_of[CANDIDATE] = [life.pod(CANDIDATE, containerStatuses=states)]
    life.settle()
    assert life.status.phase is EvalPhase.PENDING
    life.let_pass(120)
    life.settle()
    assert (life.status.phase, life.status.reason) == (EvalPhase.INCONCLUSIVE, reason)
    assert set(life.made("Deployment")) == set()


def test_a_pod_that_nobody_can_place_says_why() -> None:
    life = waiting_pods()
    condition = {
        "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1",
    }  # fmt: skip
    life.pods_of[CANDIDATE] = [life.pod(CANDIDATE, conditions=[condition])]
    life.settle()
    assert "pod Unschedulable: 0/1" in (life.status.message or "")


def test_a_pod_that_is_going_is_not_asked() -> None:
    life = waiting_pods()
    life.start()
    life.pods_of[STABLE][0]["metadata"]["deletionTimestamp"] = "now"
    life.settle()
    assert life.made("Job") == []


@pytest.mark.parametrize(
    ("container", "ends", "reason"),
    [
        ({}, ("Failed", "BackoffLimitExceeded"), "JobFailed"),
        ({}, ("Failed", "DeadlineExceeded"), "TimedOut"),
        ({}, ("Complete", ""), "NoResult"),
        ({"state": {"terminated": {"reason": "OOMKilled"}}}, ("Failed", "x"), "OOMKilled"),
        ({"state": {"terminated": {"reason": "Error"}}}, ("Failed", "x"), "JobFailed"),
    ],
)
def test_a_job_that_ends_without_an_answer_is_no_verdict(
    container: dict[str, Any], ends: tuple[str, str], reason: str
) -> None:
    life = asked()
    life.job_pod(**container)
    life.end_job(*ends)
    life.settle()
    assert (life.status.phase, life.status.reason) == (EvalPhase.INCONCLUSIVE, reason)


def test_a_job_whose_image_cannot_be_pulled_is_given_up_soon() -> None:
    life = asked()
    life.job_pod(state={"waiting": {"reason": "ErrImagePull"}})
    again = life.settle().again_at
    assert again is not None
    assert (again - life.now).total_seconds() == 60
    life.let_pass(60)
    life.settle()
    assert (life.status.phase, life.status.reason) == (EvalPhase.INCONCLUSIVE, "ImagePull")


def test_a_job_that_says_nothing_is_given_up_at_its_limit() -> None:
    life = asked()
    life.let_pass(60)
    again = life.settle().again_at
    assert again is not None
    life.now = again
    life.settle()
    assert (life.status.phase, life.status.reason) == (EvalPhase.INCONCLUSIVE, "TimedOut")
    assert life.made("Job") == []


def test_a_job_that_goes_away_is_made_again_three_times() -> None:
    life = asked()
    words = {life.word}
    for _ in range(3):
        del life.objects["Job", "by-hand"]
        life.settle()
        words.add(life.word)
    assert len(words) == 4
    del life.objects["Job", "by-hand"]
    life.settle()
    assert (life.status.phase, life.status.reason) == (EvalPhase.INCONCLUSIVE, "JobGone")


def test_a_job_whose_word_nobody_knows_any_more_makes_room_for_another() -> None:
    life = asked()
    first = life.get("Job", "by-hand")["metadata"]["uid"]
    life.get("Job", "by-hand")["metadata"]["annotations"][naming.NONCE_HASH] = sha256("lost")
    life.settle()
    assert life.get("Job", "by-hand")["metadata"]["uid"] != first
    life.answer(PASSES)
    assert life.status.phase is EvalPhase.PASSED


def test_a_job_that_answered_is_left_to_end_so_that_its_log_can_be_read() -> None:
    life = asked()
    life.answer(rounds("p" * 12, "p" * 12, 10))
    assert life.status.phase is EvalPhase.PASSED
    assert life.made("Job") == ["by-hand"]
    assert life.made("Deployment") == []


def test_a_job_of_somebody_else_is_left_alone() -> None:
    life = waiting_pods()
    life.store({"kind": "Job", "metadata": {"name": "by-hand"}})
    life.start()
    life.settle()
    assert (life.status.phase, life.status.reason) == (EvalPhase.ERROR, "NameConflict")
    assert life.made("Job") == ["by-hand"]


def test_pods_of_somebody_else_are_left_alone() -> None:
    life = RunLife()
    life.look()
    life.store({"kind": "Deployment", "metadata": {"name": f"{CANDIDATE}-eval"}})
    life.settle()
    assert (life.status.phase, life.status.reason) == (EvalPhase.ERROR, "NameConflict")
    assert life.made("Deployment") == [f"{CANDIDATE}-eval"]


def test_a_version_whose_content_is_lost_is_not_run() -> None:
    life = RunLife()
    life.look()
    DIGESTS[CANDIDATE], kept = DIGESTS[OTHER], DIGESTS[CANDIDATE]
    try:
        life.settle()
    finally:
        DIGESTS[CANDIDATE] = kept
    assert (life.status.phase, life.status.reason) == (EvalPhase.ERROR, "ContentLost")


@pytest.mark.parametrize("asks", [False, True])
def test_what_the_api_server_refuses_ends_the_run(*, asks: bool) -> None:
    life = asked() if asks else waiting_pods()
    life.refused = "exceeded quota"
    life.settle()
    assert (life.status.phase, life.status.reason) == (EvalPhase.ERROR, "Refused")


def test_tasks_that_change_meanwhile_end_the_run() -> None:
    life = asked()
    life.store(suite(tasks=[task("another")]))
    life.settle()
    assert (life.status.phase, life.status.reason) == (EvalPhase.INCONCLUSIVE, "TasksChanged")
    life = asked()
    del life.objects["EvalSuite", "core"]
    life.settle()
    assert life.status.reason == "TasksChanged"


def test_an_agent_that_goes_ends_the_run() -> None:
    life = asked()
    del life.objects["Agent", "support"]
    life.settle()
    assert (life.status.phase, life.status.reason) == (EvalPhase.INCONCLUSIVE, "AgentNotFound")
    assert life.made("Deployment") == []


def test_jobs_that_are_switched_off_meanwhile_end_the_run() -> None:
    life = waiting_pods()
    life.way = None
    life.start()
    life.settle()
    assert (life.status.phase, life.status.reason) == (EvalPhase.ERROR, "JobsDisabled")


def test_jobs_that_are_switched_off_are_not_made_again() -> None:
    life = asked()
    del life.objects["Job", "by-hand"]
    life.way = None
    life.settle()
    assert (life.status.phase, life.status.reason) == (EvalPhase.ERROR, "JobsDisabled")


# what it cannot be begun with


def _no_jobs(life: RunLife) -> None:
    life.way = None


def _no_suite(life: RunLife) -> None:
    del life.objects["EvalSuite", "core"]


def _no_agent(life: RunLife) -> None:
    del life.objects["Agent", "support"]


def _no_version(life: RunLife) -> None:
    del life.objects["AgentVersion", CANDIDATE]


def _bad_tasks(life: RunLife) -> None:
    source = {"configMapKeyRef": {"name": "golden", "key": "g"}, "format": "JSONL"}
    life.store(suite(tasksFrom=[source]))
    life.texts = [Unread("ConfigMap golden does not exist")]


def _no_stable(life: RunLife) -> None:
    life.store(agent() | {"status": {}})


def _other_agents(life: RunLife) -> None:
    life.store(version(STABLE, of="sales"))


@pytest.mark.parametrize(
    ("spec", "change", "reason"),
    [
        ({}, _no_jobs, "JobsDisabled"),
        ({}, _no_suite, "SuiteNotFound"),
        ({}, _bad_tasks, "SuiteInvalid"),
        ({}, _no_version, "VersionNotFound"),
        ({}, _no_agent, "AgentNotFound"),
        ({}, _no_stable, "NoBaseline"),
        ({"baseline": {"name": STABLE}}, _other_agents, "NoBaseline"),
        ({"version": {"name": STABLE}}, lambda _: None, "NoBaseline"),
        ({"suite": {"name": "core", "digest": DIGESTS[OTHER]}}, lambda _: None, "SuiteChanged"),
        (
            {"version": {"name": CANDIDATE, "digest": DIGESTS[OTHER]}},
            lambda _: None,
            "VersionNotFound",
        ),
    ],
)
def test_a_run_that_cannot_be_begun_waits_a_minute_and_is_an_error(
    spec: dict[str, Any], change: Any, reason: str
) -> None:
    life = RunLife(**spec)
    change(life)
    again = life.settle().again_at
    assert again is not None
    assert (life.status.phase, life.status.reason) == (EvalPhase.PENDING, reason)
    assert life.said("Started") == f"False {reason}"
    life.let_pass(60)
    life.settle()
    assert (life.status.phase, life.status.reason) == (EvalPhase.ERROR, reason)
    assert life.said("Completed") == f"False {reason}"
    assert life.made("Deployment") == []


def test_a_suite_that_cannot_be_read_is_told_on_its_runs() -> None:
    life = RunLife()
    world = life.world(None)
    outcome = decide_run(replace(world, suite=Unread("spec.tasks is odd"), golden=Unread("x")))
    (record,) = outcome.actions
    assert isinstance(record, Record)
    assert record.status["reason"] == "SuiteInvalid"


def test_a_named_baseline_takes_the_place_of_stable() -> None:
    life = asked(baseline={"name": OTHER, "digest": DIGESTS[OTHER]})
    assert life.status.plan is not None
    assert life.status.plan.baseline.version == OTHER


def test_one_version_is_in_one_run_at_a_time() -> None:
    life = asked()
    first = life.name
    life.name = "second"
    life.store({**life.get("EvalRun", first), "metadata": {"name": "second"}, "status": {}})
    life.settle()
    assert life.status.reason == "Waiting"
    assert f"EvalRun {first}" in (life.status.message or "")
    life.let_pass(600)
    life.settle()
    assert life.status.phase is EvalPhase.PENDING
    life.name = first
    life.answer(PASSES)
    life.name = "second"
    life.ask()
    assert life.status.reason == "TrialsRunning"


def test_a_name_that_is_not_ours_keeps_a_run_from_beginning() -> None:
    life = RunLife()
    life.store({"kind": "Service", "metadata": {"name": f"{STABLE}-eval"}})
    life.settle()
    assert life.status.reason == "NameConflict"


# kills


@pytest.mark.parametrize("result", [PASSES, rounds(WORSE, ALL, 10), {}], ids=["p", "f", "odd"])
@pytest.mark.parametrize("death", range(16))
def test_a_kill_before_any_write_leads_to_the_same_end(death: int, result: dict[str, Any]) -> None:
    whole = ended(result)
    life = RunLife()
    life.deaths = frozenset({death})
    life.ask()
    life.ask()
    for _ in range(3):
        if life.status.finished_at is None:
            life.answer(result)
    life.settle()
    assert (life.status.phase, life.status.reason) == (whole.status.phase, whole.status.reason)
    assert life.made("Deployment") == life.made("Service") == []


def test_an_end_stays_and_leaves_no_pods() -> None:
    life = ended(PASSES)
    before = life.status
    assert life.made("Deployment") == life.made("Service") == []
    life.store(suite(tasks=[task("another")]))
    life.let_pass(10**6)
    life.settle()
    assert life.status == before


def test_a_job_that_has_ended_stays_for_people_to_read() -> None:
    life = asked()
    life.end_job("Complete")
    life.look(Answer(sha256(life.word), PASSES))
    life.settle()
    assert life.made("Job") == ["by-hand"]
