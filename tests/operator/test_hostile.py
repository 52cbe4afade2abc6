"""Whatever is written, the operator answers it and goes on: documents from the schema and beyond.

A document is refused at admission, or it gets an answer in its status, or it rolls out.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.chart.people import OPERATOR
from tests.operator.stage import Stage
from tests.operator.team import AGENTS, Team, new_team
from tests.support.api import Document
from tests.support.audit import AuditLog
from tests.support.hostile import PLURALS, documents
from tests.support.kubectl import eventually, throughout
from tests.support.manifests import metric, prompt
from tests.support.operator import OperatorProcess

pytestmark = [pytest.mark.light, pytest.mark.timeout(3600)]

A_ROUND = 500
"""Documents that share a namespace."""

PODS = 30
"""More are not made in a namespace, however many a document asks for."""

QUIET = 10.0
MOST_WRITES = 5
"""Writes about one object in that time once it was answered: what is refused is tried again."""

ANSWERS = {HTTPStatus.CREATED, HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}


@dataclass
class Round:
    """The documents that were sent to one namespace."""

    team: Team
    answers: Counter[str] = field(default_factory=Counter)
    sent: int = 0

    def send(self, document: Document) -> None:
        self.sent += 1
        metadata = document["metadata"]
        if metadata["name"] == "support":
            metadata["name"] = f"d{self.sent}"
        where = f"/apis/turnout.dev/v1alpha1/namespaces/{self.team.namespace}"
        checked = "Strict" if self.sent % 2 else "Ignore"
        path = f"{where}/{PLURALS[document['kind']]}?fieldValidation={checked}"
        code = self.team.admin.api.send(path, document)
        assert code in ANSWERS, (code, document)
        self.answers["accepted" if code == HTTPStatus.CREATED else "refused"] += 1

    def accepted(self) -> list[Document]:
        found: list[Document] = []
        for kind, plural in PLURALS.items():
            listed = self.team.admin.list(f"{plural}.turnout.dev")
            found += [one | {"kind": kind} for one in listed]
        return found

    def unanswered(self) -> list[str]:
        return [one["metadata"]["name"] for one in self.accepted() if not _is_answered(one)]

    def clear(self) -> None:
        self.team.admin.run("delete", "namespace", self.team.namespace, "--wait=false")


def _is_answered(document: Document) -> bool:
    """Claim that a status tells what became of a document; what is wrong is told in words."""
    status = document.get("status") or {}
    if status.get("observedGeneration") != document["metadata"]["generation"]:
        return False
    conditions = status.get("conditions") or ()
    wrong = [one for one in conditions if one["status"] == "False"]
    return bool(conditions) and all(one.get("message") for one in wrong)


def _begin(stage: Stage) -> Round:
    team = new_team(stage.cluster, "hostile")
    quota: dict[str, Any] = {"metadata": {"name": "pods"}, "spec": {"hard": {"pods": str(PODS)}}}
    team.admin.api.create(f"/api/v1/namespaces/{team.namespace}/resourcequotas", quota)
    team.admin.apply(prompt(), metric())
    return Round(team)


def _settle(round_: Round, stage: Stage) -> int:
    """Wait for every answer, and see that nothing goes in circles; returns the most writes."""
    eventually("each is answered", lambda: not round_.unanswered(), timeout=120, pause=0.5)
    log = AuditLog(stage.cluster)
    throughout(QUIET, "each stays answered", lambda: not round_.unanswered(), pause=2)
    asked = log.requests(user=OPERATOR, namespace=round_.team.namespace, writes=True)
    writes = Counter((one.resource, one.name) for one in asked)
    worst = max(writes.values(), default=0)
    assert worst <= MOST_WRITES, writes.most_common(3)
    return worst


@pytest.mark.parametrize("count", [250, pytest.param(10_000, marks=pytest.mark.long)])
def test_every_document_is_refused_or_answered(
    stage: Stage, operator: OperatorProcess, measured: list[str], count: int
) -> None:
    rounds = [_begin(stage)]
    totals: Counter[str] = Counter()
    worst = 0

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(document=documents())
    def send(document: Document) -> None:
        nonlocal worst
        if rounds[-1].sent == A_ROUND:
            worst = max(worst, _settle(rounds[-1], stage))
            rounds[-1].clear()
            rounds.append(_begin(stage))
        rounds[-1].send(document)

    send()
    worst = max(worst, _settle(rounds[-1], stage))
    for one in rounds:
        totals += one.answers
    phases = Counter(str(one["status"].get("phase")) for one in rounds[-1].team.admin.list(AGENTS))
    rounds[-1].clear()
    lines = [json.loads(line) for line in operator.log.read_text().splitlines()]
    assert not [one for one in lines if "exception" in one]
    assert operator.running
    measured.append(
        f"{totals.total()} hostile documents: {totals['refused']} refused, {totals['accepted']} "
        f"accepted and answered, at most {worst} writes an object in {QUIET:g} s; Agents {phases}"
    )
