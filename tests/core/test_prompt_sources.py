"""Texts that are kept outside the cluster: asked for, pinned by their bytes, looked after."""

from datetime import timedelta
from typing import Any

import pytest
from typing_extensions import override

from tests.support.manifests import kind
from tests.support.source_life import SourceLife
from turnout.api.prompt import LONGEST_TEXT, Prompt, PromptStatus
from turnout.core.asking import SourceWorld
from turnout.core.prompt_pins import completed_outside, outside
from turnout.core.prompt_sources import decide_prompt
from turnout.core.sources import SourceOutcome
from turnout.core.tasks import Problem, SecretKey
from turnout.core.world import Unread
from turnout.simulation.cluster import Document

NAME = "system"
LANGFUSE = {
    "endpoint": "https://langfuse.example.com/",
    "name": "support/system",
    "secretRef": {"name": "langfuse"},
}
MLFLOW = {"endpoint": "https://mlflow.example.com", "name": "support-system"}
ABSENT = Problem("NotFound", "there is no such prompt, version, label or alias")


class PromptLife(SourceLife):
    """One Prompt, its status, its pinned text and its Jobs."""

    def __init__(self, **spec: Any) -> None:
        super().__init__(kind("Prompt", NAME, {"role": "System", "format": "Plain"} | spec))

    @override
    def decide(self, world: SourceWorld) -> SourceOutcome:
        return decide_prompt(self.source, self.whole, world)

    @property
    @override
    def source(self) -> Prompt:
        return Prompt.model_validate(self.get("Prompt", NAME))

    @property
    def status(self) -> PromptStatus:
        return self.source.status

    @property
    def whole(self) -> Prompt | Unread:
        return completed_outside(self.source, self.pinned)

    @property
    def text(self) -> str | None:
        whole = self.whole
        return whole.spec.text if isinstance(whole, Prompt) else None

    def report(self, version: int, text: str) -> SourceOutcome:
        return self.answer({"version": str(version), "text": text})

    def check(self, version: int, text: str) -> SourceOutcome:
        """Let the interval pass, and the next Job report."""
        self.let_pass(600)
        self.settle()
        assert self.asks
        return self.report(version, text)

    @property
    def job(self) -> Document:
        """The environment of the newest Job's container."""
        (container,) = self.all("Job")[-1]["spec"]["template"]["spec"]["containers"]
        return {one["name"]: one for one in container["env"]}


def labelled(policy: str = "Pin", **spec: Any) -> PromptLife:
    """A Prompt by label, whose text was read once."""
    langfuse = LANGFUSE | {"label": "production"}
    life = PromptLife(langfuse=langfuse, refPolicy=policy, **spec)
    life.settle()
    life.report(7, "You help.")
    return life


def reasons(life: PromptLife) -> list[str]:
    return [str(one.reason) for one in life.events]


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ({"langfuse": LANGFUSE | {"version": 7}}, "Langfuse prompt support/system (version 7)"),
        (
            {"mlflow": MLFLOW | {"alias": "production"}, "refPolicy": "Pin"},
            "MLflow prompt support-system (production)",
        ),
    ],
)
def test_a_text_outside_is_asked_for_and_pinned(spec: dict[str, Any], name: str) -> None:
    life = PromptLife(**spec)
    life.settle()
    assert life.said("Resolved") == "Unknown Pending"
    assert life.condition("Resolved").message == f"{name} was not read yet"
    assert life.said("RolledOut") == "Unknown Pending"
    assert life.whole == Unread(f"{name} was not read yet")
    life.report(7, "You help.\n")
    assert life.said("Resolved") == "True Resolved"
    assert life.text == "You help.\n"
    known = life.status.resolved
    assert known is not None
    source = outside(life.source.spec)
    assert source is not None
    assert (known.version, known.label, known.moved_to) == ("7", source.pointer, None)
    assert life.woken == 1


def test_the_same_text_has_the_same_digest_wherever_it_is_kept() -> None:
    inside = PromptLife(text="You help.")
    inside.settle()
    assert inside.status.digest is not None
    assert labelled().status.digest == inside.status.digest


def test_a_version_is_asked_for_once() -> None:
    life = PromptLife(mlflow=MLFLOW | {"version": 7})
    life.settle()
    life.report(7, "You help.")
    assert life.due is None
    assert not life.job.keys() & {"TURNOUT_SECRET_0"}


def test_secrets_are_named_for_the_job_and_never_read() -> None:
    life = labelled()
    sources = [life.job[f"TURNOUT_SECRET_{number}"]["valueFrom"] for number in (0, 1)]
    keys = [SecretKey(one["secretKeyRef"]["name"], one["secretKeyRef"]["key"]) for one in sources]
    assert keys == [SecretKey("langfuse", "public-key"), SecretKey("langfuse", "secret-key")]


def test_another_secret_is_no_other_text() -> None:
    life = labelled()
    digest, pinned = life.status.digest, life.status.content_ref
    life.edit(langfuse={"secretRef": {"name": "other"}})
    life.settle()
    assert life.asks
    assert (life.status.digest, life.status.content_ref) == (digest, pinned)


@pytest.mark.parametrize(
    ("interval", "due"),
    [(None, timedelta(minutes=10)), ("2m", timedelta(minutes=2))],
)
def test_a_label_is_looked_at_again_after_the_interval(
    interval: str | None, due: timedelta
) -> None:
    life = labelled(**({} if interval is None else {"checkInterval": interval}))
    assert life.due == due


def test_a_label_that_is_moved_is_reported_and_changes_nothing() -> None:
    life = labelled()
    digest = life.status.digest
    life.check(8, "You help well.")
    assert life.said("Resolved") == "True LabelMoved"
    assert "is version 8 now; version 7 stays" in life.condition("Resolved").message
    assert (life.text, life.status.digest) == ("You help.", digest)
    assert reasons(life) == ["LabelMoved"]
    assert life.woken == 1
    life.check(8, "You help well.")
    assert reasons(life) == ["LabelMoved"]
    life.check(7, "You help.")
    assert life.said("Resolved") == "True Resolved"


def test_a_version_whose_text_was_exchanged_is_reported_and_changes_nothing() -> None:
    life = labelled()
    life.check(7, "You do not help.")
    assert life.said("Resolved") == "True LabelMoved"
    assert life.text == "You help."


def test_a_label_that_is_tracked_brings_the_other_version() -> None:
    life = labelled("Track")
    before = life.status.content_ref
    life.check(8, "You help well.")
    assert life.said("Resolved") == "True Resolved"
    assert life.text == "You help well."
    assert reasons(life) == ["LabelMoved"]
    assert life.woken == 2
    assert before is not None
    assert ("ConfigMap", before.name) not in life.objects


def test_an_edit_of_what_is_asked_for_asks_anew_and_tells_no_move() -> None:
    life = labelled()
    life.edit(langfuse={"label": "staging"})
    life.settle()
    assert life.asks
    assert life.said("Resolved") == "Unknown Pending"
    assert life.text is None
    assert life.status.resolved is None
    life.report(9, "You may help.")
    assert life.text == "You may help."
    assert reasons(life) == []


def test_what_cannot_be_read_says_why_and_is_asked_for_again() -> None:
    life = PromptLife(langfuse=LANGFUSE | {"version": 7})
    life.settle()
    life.answer({}, ABSENT)
    assert life.said("Resolved") == "False SourceUnavailable"
    assert "there is no such prompt" in life.condition("Resolved").message
    assert life.said("RolledOut") == "Unknown SourceUnavailable"
    assert life.said("Reconciling") == "True SourceUnavailable"
    assert life.due is not None
    assert life.due <= timedelta(minutes=1)


def test_a_failed_look_never_changes_a_text() -> None:
    life = labelled("Track")
    life.let_pass(600)
    life.settle()
    life.answer({}, Problem("Unreachable", "the server did not answer"))
    assert life.said("Resolved") == "True Resolved"
    assert "the server did not answer" in life.condition("Resolved").message
    assert life.text == "You help."
    assert life.woken == 1


@pytest.mark.parametrize(
    "result",
    [
        {"version": "7", "text": "x" * (LONGEST_TEXT + 1)},
        {"version": "7", "text": ""},
        {"version": 7, "text": "x"},
        {"version": "7" * 65, "text": "x"},
    ],
)
def test_an_answer_that_no_job_of_ours_gives_is_not_taken(result: dict[str, Any]) -> None:
    life = PromptLife(langfuse=LANGFUSE | {"version": 7})
    life.settle()
    life.answer(result)
    assert life.said("Resolved") == "False SourceUnavailable"
    assert life.text is None


def test_a_text_that_is_too_large_is_said_to_be_so() -> None:
    life = PromptLife(langfuse=LANGFUSE | {"version": 7})
    life.settle()
    life.answer({}, Problem("TooLarge", "it has 300000 characters"))
    assert life.said("Resolved") == "False TooLarge"
    assert life.said("RolledOut") == "False TooLarge"


@pytest.mark.parametrize(("policy", "asked"), [("Pin", '"version":7'), ("Track", '"pointer"')])
def test_a_pinned_text_that_was_lost_is_asked_for_by_its_version(policy: str, asked: str) -> None:
    life = labelled(policy)
    reference = life.status.content_ref
    assert reference is not None
    del life.objects["ConfigMap", reference.name]
    assert isinstance(life.whole, Unread)
    life.let_pass(600)
    life.settle()
    assert asked in life.job["TURNOUT_TASK"]["value"]
    life.report(7, "You help.")
    assert life.text == "You help."
    assert life.said("Resolved") == "True Resolved"


def test_a_lost_text_of_a_version_that_is_no_number_is_asked_for_by_its_label() -> None:
    life = labelled()
    life.check(7, "You help.")
    life.patch("Prompt", NAME, {"status": {"resolved": {"version": "seven"}, "contentRef": None}})
    life.let_pass(600)
    life.settle()
    assert '"pointer"' in life.job["TURNOUT_TASK"]["value"]


def test_a_text_that_comes_back_into_the_prompt_leaves_nothing_outside() -> None:
    life = labelled()
    life.edit(langfuse=None, refPolicy=None, text="You help.")
    life.settle()
    assert life.text == "You help."
    assert (life.status.resolved, life.status.content_ref, life.status.task) == (None, None, None)
    assert life.all("ConfigMap") == []


def test_an_address_that_nobody_can_mean_is_not_asked() -> None:
    life = PromptLife(langfuse=LANGFUSE | {"version": 7, "endpoint": "http://10.0.0.7:3000"})
    life.settle()
    assert life.said("Resolved") == "False InvalidSpec"
    assert "name the host" in life.condition("Resolved").message
    assert life.said("RolledOut") == "False InvalidSpec"
    assert life.all("Job") == []


def test_without_an_image_for_jobs_the_prompt_says_so() -> None:
    life = PromptLife(langfuse=LANGFUSE | {"version": 7})
    life.way = None
    life.settle()
    assert life.said("Resolved") == "False SourceUnavailable"
    assert "JobsDisabled" in life.condition("Resolved").message
