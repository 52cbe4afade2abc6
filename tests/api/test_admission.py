"""What the API server itself refuses and accepts, before the operator sees it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.api.admission_rows import GOOD_CHANGES, REFUSED, Row
from tests.api.documents import GATE, GONE, NAMES, SPECS, STRATEGY, changed, good
from tests.api.server import ApiServer
from turnout.api.base import API_VERSION
from turnout.api.digest import digest_of

pytestmark = pytest.mark.light

EXAMPLES = Path(__file__).parents[2] / "examples"


def _named(row: tuple[Any, ...]) -> str:
    return f"{row[0]}.{row[1]}={str(row[2])[:40]}".encode("ascii", "replace").decode()


@pytest.mark.parametrize("row", REFUSED, ids=_named)
def test_bad_input_is_refused_with_a_clear_answer(server: ApiServer, row: Row) -> None:
    kind, path, value, words = row
    answer = server.create(changed(good(kind), path, value))
    assert not answer.accepted
    assert words in answer.message


def test_a_number_that_is_none_is_refused(server: ApiServer, tmp_path: Path) -> None:
    file = tmp_path / "agent.json"
    file.write_text(
        json.dumps(good("Agent")).replace('"temperature": "0.2"', '"temperature": 1e400')
    )
    agents = "/apis/turnout.dev/v1alpha1/namespaces/default/agents?dryRun=All"
    with pytest.raises(subprocess.CalledProcessError) as refused:
        server.kubectl("create", "--raw", agents, "-f", str(file))
    assert "1e400" in refused.value.stderr


@pytest.mark.parametrize("row", GOOD_CHANGES, ids=_named)
def test_unusual_but_sound_input_is_accepted(server: ApiServer, row: tuple[str, str, Any]) -> None:
    answer = server.create(changed(good(row[0]), *row[1:]))
    assert answer.accepted, answer.message


@pytest.mark.parametrize("kind", SPECS)
def test_a_good_document_is_accepted(server: ApiServer, kind: str) -> None:
    answer = server.create(good(kind))
    assert answer.accepted, answer.message


def test_strategy_and_gate_stand_in_for_a_reference(server: ApiServer) -> None:
    inline = changed(good("Agent"), "spec.strategyRef", GONE)
    inline["spec"] |= {"strategy": STRATEGY, "gate": GATE}
    answer = server.create(inline)
    assert answer.accepted, answer.message


@pytest.mark.parametrize("missing", ["strategy", "gate"])
def test_strategy_and_gate_go_together(server: ApiServer, missing: str) -> None:
    inline = changed(good("Agent"), "spec.strategyRef", GONE)
    inline["spec"] |= {"strategy": STRATEGY, "gate": GATE}
    del inline["spec"][missing]
    assert "strategy and gate go together" in server.create(inline).message


def test_replica_ratio_needs_no_route(server: ApiServer) -> None:
    traffic = {"mode": "ReplicaRatio", "service": {"port": 8080}}
    answer = server.create(changed(good("Agent"), "spec.traffic", traffic))
    assert answer.accepted, answer.message


@pytest.mark.parametrize("kind", [kind for kind in SPECS if kind not in NAMES])
def test_content_and_template_are_stored_as_written(server: ApiServer, kind: str) -> None:
    """Defaults of ours in content would make an upgrade of the CRDs a change of every agent."""
    content: dict[str, tuple[str, ...]] = {
        "Agent": ("template", "model"),
        "RolloutStrategy": (),
        "MetricTemplate": (),
        "EvalSuite": (),
    }
    written = good(kind)["spec"]
    stored = server.create(good(kind)).document["spec"]
    for part in content.get(kind, tuple(written)):
        expected = written[part]
        if part == "template":
            expected["spec"]["containers"][0]["ports"][0]["protocol"] = "TCP"
        assert stored[part] == expected


def test_storing_an_agent_leaves_its_digest(server: ApiServer) -> None:
    written = good("Agent")["spec"]["template"]
    stored = server.create(good("Agent")).document["spec"]["template"]
    assert stored != written
    assert digest_of(template=stored, prompts=()) == digest_of(template=written, prompts=())


def _examples() -> list[Any]:
    documents = [
        (file, document)
        for file in sorted(EXAMPLES.rglob("*.yaml"))
        for document in yaml.safe_load_all(file.read_text(encoding="utf-8"))
        if isinstance(document, dict) and document.get("apiVersion") == API_VERSION
    ]
    return [
        pytest.param(document, id=f"{file.name}-{document['kind']}-{document['metadata']['name']}")
        for file, document in documents
    ]


@pytest.mark.parametrize("example", _examples())
def test_every_example_is_accepted(server: ApiServer, example: dict[str, Any]) -> None:
    example["metadata"]["namespace"] = "default"
    answer = server.create(example)
    assert answer.accepted, answer.message
