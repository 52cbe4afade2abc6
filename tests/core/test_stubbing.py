"""The pod of an agent whose writes do nothing: a server beside it, a file in another's place."""

import copy
from typing import Any

from turnout.core.jobs import JobSettings
from turnout.core.stubbing import NAME, with_stubs

WAY = JobSettings("turnout:1", "http://reports:8082")
POD: dict[str, Any] = {
    "metadata": {"labels": {"a": "b"}},
    "spec": {
        "initContainers": [{"name": "fetch"}],
        "containers": [
            {
                "name": "agent",
                "volumeMounts": [
                    {"name": "data", "mountPath": "/data"},
                    {"name": "turnout-content", "mountPath": "/etc/turnout", "readOnly": True},
                ],
            },
            {"name": "proxy"},
        ],
        "volumes": [{"name": "turnout-content", "configMap": {"name": "support-1"}}],
    },
}


def test_the_agent_sees_the_view_in_place_of_its_content() -> None:
    before = copy.deepcopy(POD)
    made = with_stubs(POD, "agent", WAY)
    assert before == POD
    assert made["metadata"] == POD["metadata"]
    agent, proxy = made["spec"]["containers"]
    assert proxy == {"name": "proxy"}
    assert agent["volumeMounts"] == [
        {"name": "data", "mountPath": "/data"},
        {"name": NAME, "mountPath": "/etc/turnout", "readOnly": True},
    ]


def test_the_server_is_there_first_and_writes_the_view_alone() -> None:
    made = with_stubs(POD, "agent", WAY)["spec"]
    server, fetch = made["initContainers"]
    assert (server["name"], server["restartPolicy"], fetch["name"]) == (NAME, "Always", "fetch")
    writable = [one["name"] for one in server["volumeMounts"] if not one.get("readOnly")]
    assert writable == [NAME]
    places = {one["mountPath"] for one in server["volumeMounts"]}
    env = {one["name"]: one["value"] for one in server["env"]}
    assert places == {env["TURNOUT_STUBS_CONTENT"], env["TURNOUT_STUBS_VIEW"]}
    assert [one["name"] for one in made["volumes"]] == ["turnout-content", NAME]
    assert env["TURNOUT_STUBS_PORT"] == str(server["startupProbe"]["httpGet"]["port"])


def test_a_pod_with_nothing_but_its_agent_gets_the_same() -> None:
    made = with_stubs({"spec": {"containers": [{"name": "agent"}]}}, "agent", WAY)["spec"]
    assert [one["name"] for one in made["initContainers"]] == [NAME]
    assert made["containers"][0]["volumeMounts"] == []
