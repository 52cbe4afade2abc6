"""Whatever is written, the operator answers it and goes on: documents from the schema and beyond.

A document is refused at admission by the name of a field, or its status says what is wrong and
where, or it rolls out. Nothing that anybody writes makes the operator crash, go in circles or log a
stack trace.
"""

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.chart.people import OPERATOR
from tests.operator.stage import Stage
from tests.operator.team import AGENTS, Team, new_team
from tests.support.api import Document
from tests.support.audit import AuditLog
from tests.support.hostile import PLURALS, documents, refer
from tests.support.kubectl import throughout
from tests.support.manifests import metric, prompt
from tests.support.operator import OperatorProcess

pytestmark = [pytest.mark.light, pytest.mark.timeout(5400)]

A_ROUND: Final = 500  # documents that share a namespace
PODS: Final = 30  # in a namespace, however many a document asks for
PATIENCE: Final = 60.0
"""Seconds without one more answer after which what is left counts as unanswered, or in circles."""

MOST_WRITES, QUIET = 5, 10.0
"""Writes about one object at rest in so many seconds: what is refused is tried again."""

SHOWN: Final = 3000  # characters of a finding


@dataclass
class Round:
    """The documents that were sent to one namespace.

    Attributes:
        findings: What should not have happened.
    """

    team: Team
    findings: list[str]
    answers: Counter[str] = field(default_factory=Counter)
    newest: dict[str, str] = field(default_factory=dict)
    sent: int = 0

    def send(self, document: Document) -> None:
        self.sent += 1
        metadata, kind = document["metadata"], document["kind"]
        if metadata["name"] == "support":
            metadata["name"] = f"d{self.sent}"
        if self.sent % 2:
            refer(document, self.newest)
        where = f"/apis/turnout.dev/v1alpha1/namespaces/{self.team.namespace}"
        checked = "Strict" if self.sent % 3 else "Ignore"
        code, said = self.team.admin.api.send(
            f"{where}/{PLURALS[kind]}?fieldValidation={checked}", document
        )
        self.answers["accepted" if code == HTTPStatus.CREATED else "refused"] += 1
        if code == HTTPStatus.CREATED:
            self.newest[kind] = metadata["name"]
        elif not _is_refusal(code, said):
            self.find(f"answered with {code} {said}", document)

    def find(self, what: str, document: Document) -> None:
        self.findings.append(f"{what}: {json.dumps(document)}"[:SHOWN])

    def unanswered(self) -> list[Document]:
        return [
            one | {"kind": kind}
            for kind, plural in PLURALS.items()
            for one in self.team.admin.list(f"{plural}.turnout.dev")
            if not _is_answered(one)
        ]

    def await_answers(self) -> None:
        """Wait for every answer as long as there are ever more of them."""
        left, deadline = self.unanswered(), time.monotonic() + PATIENCE
        while left and time.monotonic() < deadline:
            fewer = self.unanswered()
            if len(fewer) < len(left):
                deadline = time.monotonic() + PATIENCE
            left = fewer
            time.sleep(0.5)
        for one in left:
            self.find("not answered", {key: one[key] for key in ("kind", "spec", "status")})

    def clear(self) -> None:
        self.team.admin.run("delete", "namespace", self.team.namespace, "--wait=false")


def _is_refusal(code: int, said: str) -> bool:
    """Claim that admission says no by the name of a field, or of an object that is there."""
    if code == HTTPStatus.CONFLICT:
        return "already exists" in said
    named = any(part in said for part in ("spec", "metadata", "unknown field", "json:"))
    return code in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY} and named


def _is_answered(document: Document) -> bool:
    """Claim that a status tells what became of a document; what is wrong is told in words."""
    status = document.get("status") or {}
    if status.get("observedGeneration") != document["metadata"]["generation"]:
        return False
    conditions = status.get("conditions") or ()
    wrong = [one for one in conditions if one["status"] == "False"]
    return bool(conditions) and all(one.get("message") for one in wrong)


def _begin(stage: Stage, findings: list[str]) -> Round:
    team = new_team(stage.cluster, "hostile")
    quota: dict[str, Any] = {"metadata": {"name": "pods"}, "spec": {"hard": {"pods": str(PODS)}}}
    team.admin.api.create(f"/api/v1/namespaces/{team.namespace}/resourcequotas", quota)
    team.admin.apply(prompt(), metric())
    return Round(team, findings)


def _settle(round_: Round, stage: Stage) -> int:
    """Wait for every answer and for rest; returns the most writes about one object at rest."""
    round_.await_answers()
    deadline = time.monotonic() + PATIENCE
    while True:
        writes = _writes(round_, stage)
        worst = max(writes.values(), default=0)
        if worst <= MOST_WRITES or time.monotonic() > deadline:
            break
    if worst > MOST_WRITES:
        round_.findings.append(f"goes in circles: {writes.most_common(3)}")
    return worst


def _writes(round_: Round, stage: Stage) -> Counter[tuple[str, str]]:
    """Count what the operator writes about each object for a while."""
    log = AuditLog(stage.cluster)
    left = len(round_.unanswered())
    throughout(QUIET, "answered", lambda: len(round_.unanswered()) <= left, pause=2)
    asked = log.requests(user=OPERATOR, namespace=round_.team.namespace, writes=True)
    return Counter((one.resource, one.name) for one in asked)


def _traces(operator: OperatorProcess) -> list[str]:
    lines = operator.log.read_text().splitlines()
    return [line[:SHOWN] for line in lines if "exception" in json.loads(line)]


@pytest.mark.parametrize("count", [250, pytest.param(10_000, marks=pytest.mark.long)])
def test_every_document_is_refused_or_answered(
    stage: Stage, operator: OperatorProcess, measured: list[str], count: int
) -> None:
    findings: list[str] = []
    rounds = [_begin(stage, findings)]
    worst = 0

    @settings(
        max_examples=count,
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
            rounds.append(_begin(stage, findings))
        rounds[-1].send(document)

    send()
    worst = max(worst, _settle(rounds[-1], stage))
    phases = Counter(str(one["status"].get("phase")) for one in rounds[-1].team.admin.list(AGENTS))
    rounds[-1].clear()
    assert operator.running, operator.log.read_text()[-SHOWN:]
    findings += _traces(operator)
    assert not findings, f"{len(findings)} findings:\n" + "\n".join(findings[:10])
    totals = sum((one.answers for one in rounds), Counter[str]())
    measured.append(
        f"{totals.total()} hostile documents: {totals['refused']} refused, {totals['accepted']} "
        f"accepted and answered, at most {worst} writes an object in {QUIET:g} s; Agents {phases}"
    )
