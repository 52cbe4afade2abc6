"""The pod of a run by a person's containers: one copy a version, and ours beside them."""

import copy
import re
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any

import pytest

from turnout.core.jobs import MOUNT, JobSettings
from turnout.core.suites.sidecar import (
    NAME,
    Containers,
    Evaluated,
    ResultFile,
    results_task,
    with_sidecar,
)
from turnout.errors import Invalid

WAY = JobSettings("turnout:1", "http://reports:8082")
CANDIDATE = Evaluated("candidate", "support-1", "http://support-1-eval:8080")
BASELINE = Evaluated("baseline", "support-0", "http://support-0-eval:8080")
TEMPLATE: dict[str, Any] = {
    "metadata": {"labels": {"team": "shop"}},
    "spec": {
        "initContainers": [{"name": "fetch", "image": "fetch:1"}],
        "containers": [
            {
                "name": "tests",
                "image": "promptfoo:1",
                "env": [{"name": "TURNOUT_URL", "value": "mine"}, {"name": "A", "value": "b"}],
                "volumeMounts": [{"name": "data", "mountPath": "/data"}],
            }
        ],
        "volumes": [{"name": "data", "emptyDir": {}}],
    },
}


def containers(
    template: dict[str, Any] = TEMPLATE,
    path: str = "/results/out.json",
    versions: tuple[Evaluated, ...] = (CANDIDATE, BASELINE),
) -> Containers:
    return Containers(template, ResultFile(PurePosixPath(path), "Promptfoo"), versions)


def rendered(asked: Containers | None = None) -> dict[str, Any]:
    asked = asked or containers()
    task = results_task(asked, timedelta(minutes=20))
    return with_sidecar(asked, task, "word", WAY)


def spec(**fields: Any) -> dict[str, Any]:
    template = copy.deepcopy(TEMPLATE)
    template["spec"].update(fields)
    return template


def test_each_container_runs_once_a_version_and_is_told_which() -> None:
    made = rendered()
    tests, other = made["spec"]["containers"]
    assert (tests["name"], other["name"]) == ("tests", "tests-baseline")
    told = {one["name"]: one["value"] for one in other["env"]}
    assert told == {
        "TURNOUT_URL": "http://support-0-eval:8080",
        "TURNOUT_VERSION": "support-0",
        "TURNOUT_ROLE": "baseline",
        "A": "b",
    }
    for one, volume in ((tests, "turnout-results-candidate"), (other, "turnout-results-baseline")):
        assert one["volumeMounts"] == [
            {"name": "data", "mountPath": "/data"},
            {"name": volume, "mountPath": "/results"},
        ]
    assert made["metadata"] == {"labels": {"team": "shop"}}


def test_the_sidecar_alone_has_the_token_and_sees_the_files_without_writing_them() -> None:
    made = rendered()["spec"]
    sidecar, fetch = made["initContainers"]
    assert (sidecar["name"], sidecar["restartPolicy"], fetch["name"]) == (NAME, "Always", "fetch")
    (badge,) = [one["name"] for one in made["volumes"] if "projected" in one]
    holders = [
        one["name"]
        for one in (*made["containers"], *made["initContainers"])
        if badge in {mount["name"] for mount in one.get("volumeMounts", ())}
    ]
    assert holders == [NAME]
    mounts = {one["mountPath"]: one.get("readOnly", False) for one in sidecar["volumeMounts"]}
    assert mounts == {
        MOUNT: True,
        "/var/run/turnout-ready": False,
        "/var/run/turnout-results/candidate": True,
        "/var/run/turnout-results/baseline": True,
    }
    assert sidecar["securityContext"]["runAsNonRoot"]
    assert "/var/run/turnout-ready/ready" in sidecar["startupProbe"]["exec"]["command"][2]


def test_the_sidecar_is_asked_for_the_files_where_it_sees_them() -> None:
    task = results_task(containers(), timedelta(minutes=20))
    assert task.kind == "results"
    assert task.timeout == timedelta(minutes=20)
    assert task.description["results"] == [
        {"role": "candidate", "path": "/var/run/turnout-results/candidate/out.json"},
        {"role": "baseline", "path": "/var/run/turnout-results/baseline/out.json"},
    ]


def test_against_a_record_the_containers_run_for_the_candidate_alone() -> None:
    made = rendered(containers(versions=(CANDIDATE,)))["spec"]
    assert [one["name"] for one in made["containers"]] == ["tests"]
    assert [one["name"] for one in made["volumes"]] == [
        "data",
        "turnout-badge",
        "turnout-ready",
        "turnout-results-candidate",
    ]


def test_the_pod_ends_by_itself_and_leaves_time_for_the_report() -> None:
    made = rendered()["spec"]
    assert (made["restartPolicy"], made["automountServiceAccountToken"]) == ("Never", False)
    assert made["terminationGracePeriodSeconds"] == 60
    longer = spec(terminationGracePeriodSeconds=300, automountServiceAccountToken=True)
    made = rendered(containers(longer))["spec"]
    assert made["terminationGracePeriodSeconds"] == 300
    assert made["automountServiceAccountToken"] is True


def test_the_person_s_template_is_left_as_it_is() -> None:
    before = copy.deepcopy(TEMPLATE)
    bare = {"spec": {"containers": [{"name": "tests", "image": "t"}]}}
    assert [one["name"] for one in rendered(containers(bare))["spec"]["initContainers"]] == [NAME]
    rendered()
    assert before == TEMPLATE


@pytest.mark.parametrize(
    ("template", "path", "message"),
    [
        (spec(shareProcessNamespace=True), "/r/o", "shareProcessNamespace would show the conta"),
        (spec(hostPID=True), "/r/o", "hostPID would show the containers the token"),
        (
            spec(containers=[{"name": "turnout-report"}]),
            "/r/o",
            "the name turnout-report begins as ours do (turnout-)",
        ),
        (
            spec(volumes=[{"name": "turnout-badge", "emptyDir": {}}]),
            "/r/o",
            "the name turnout-badge begins as ours do",
        ),
        (
            spec(
                containers=[
                    {"name": "t", "volumeMounts": [{"name": "turnout-badge", "mountPath": "/t"}]}
                ]
            ),
            "/r/o",
            "the name turnout-badge begins as ours do",
        ),
        (
            spec(containers=[{"name": "a"}, {"name": "a-baseline"}]),
            "/r/o",
            "two containers would be called a-baseline",
        ),
        (spec(containers=[{"name": "a" * 60}]), "/r/o", "exceeds 63 characters"),
        (spec(), "/data/out.json", "/data is mounted already; the result needs it"),
        (spec(), "/out.json", "resultPath must be an absolute path to a file below some folder"),
        (spec(), "results/out.json", "resultPath must be an absolute path"),
        (spec(), "/r/../etc/o", "resultPath must be an absolute path"),
    ],
)
def test_what_would_not_work_or_would_reach_into_the_sidecar_is_refused(
    template: dict[str, Any], path: str, message: str
) -> None:
    with pytest.raises(Invalid, match=re.escape(message)) as refused:
        rendered(containers(template, path))
    assert refused.value.reason == "InvalidSpec"
