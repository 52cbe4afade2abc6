"""The API server and `turnout lint`, asked about the same documents."""

import json

import pytest

from tests.api.admission_rows import GOOD_CHANGES, REFUSED
from tests.api.documents import Document, changed, good
from tests.api.server import ApiServer
from turnout.cli.lint.command import look
from turnout.cli.lint.manifests import read_manifests

pytestmark = pytest.mark.light

SAMPLE = [changed(good(row[0]), row[1], row[2]) for row in (*REFUSED, *GOOD_CHANGES)[::4]]


def _reasons(document: Document) -> set[str]:
    """Why lint refuses a document; empty where it does not."""
    outcome = look(list(read_manifests("one.json", json.dumps(document))))
    return {one.problem.reason for one in outcome.findings if not one.problem.warning}


def test_lint_refuses_what_the_api_server_refuses_and_the_operator_besides(
    server: ApiServer,
) -> None:
    answers = [(document, server.create(document).accepted) for document in SAMPLE]
    assert {accepted for _, accepted in answers} == {True, False}
    for document, accepted in answers:
        found = _reasons(document) - ({"InvalidSpec"} if accepted else set())
        assert (not found) is accepted, (document, found)
