"""The API server and `turnout lint`, asked about the same documents."""

import json

import pytest
from hypothesis import HealthCheck, given, settings

from tests.api.admission_rows import GOOD_CHANGES, REFUSED
from tests.api.documents import Document, changed, good
from tests.api.server import ApiServer
from tests.support.hostile import documents
from turnout.cli.lint.command import look
from turnout.cli.lint.manifests import read_manifests

pytestmark = pytest.mark.light

SAMPLE = [changed(good(row[0]), row[1], row[2]) for row in (*REFUSED, *GOOD_CHANGES)[::4]]

OF_THE_OPERATOR = {"InvalidSpec", "InvalidTemplate"}
"""Why lint refuses what the API server takes: the operator would."""


def _reasons(document: Document) -> set[str]:
    """Why lint refuses a document; empty where it does not."""
    outcome = look(list(read_manifests("one.json", json.dumps(document))))
    return {one.problem.reason for one in outcome.findings if not one.problem.warning}


def _agree(server: ApiServer, document: Document) -> bool:
    """Ask both about one document; returns whether the API server takes it."""
    answer = server.create(document)
    refusals = _reasons(document) - (OF_THE_OPERATOR if answer.accepted else set())
    assert (not refusals) is answer.accepted, (document, refusals, answer.message)
    return answer.accepted


def test_lint_refuses_what_the_api_server_refuses_and_the_operator_besides(
    server: ApiServer,
) -> None:
    assert {_agree(server, one) for one in SAMPLE} == {True, False}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(documents())
def test_lint_agrees_on_documents_from_the_schema_and_beyond(
    server: ApiServer, document: Document
) -> None:
    _agree(server, document)
