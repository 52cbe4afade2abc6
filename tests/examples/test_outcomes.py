"""Which prompts really do better and worse, and why an answer holds or does not."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.tasks import task
from standin.rules import Rule
from support_agent.verify import VERIFIED, Deed, Record, judge
from tests.examples.corpus import prompt
from tests.examples.mounted import prompt_text
from tests.examples.play import play

TASKS = 600


def success(text: str, temperature: float = 0.2) -> float:
    runs = [play(text, task(5, number), temperature) for number in range(TASKS)]
    return sum(run.verdict == VERIFIED for run in runs) / TASKS


def test_the_three_prompts_of_the_example_differ_as_they_should() -> None:
    first, better, worse = (
        success(prompt_text(name)) for name in ("prompt", "prompt-better", "prompt-worse")
    )
    assert 0.955 <= first <= 0.99
    assert first <= better
    assert 0.6 <= worse <= 0.75


@pytest.mark.parametrize("rule", [rule for rule in Rule if rule is not Rule.DELIBERATION])
def test_a_prompt_without_one_of_its_rules_does_worse(rule: Rule) -> None:
    assert success(prompt(rule)) < success(prompt())


def test_a_higher_temperature_means_more_slips() -> None:
    text = prompt_text("prompt")
    assert success(text, 0) > success(text, 1) > success(text, 2)


def test_the_same_message_gets_the_same_answer() -> None:
    text = prompt_text("prompt")
    assert [play(text, task(1, n)) for n in range(20)] == [
        play(text, task(1, n)) for n in range(20)
    ]


ORDER = "1042"
CLAIM = f"Order {ORDER} arrived broken, I want my money back."
ENTITLED = Record(frozenset({"refund", "replace"}), Decimal("49.90"))
NOTHING = Record(frozenset(), Decimal("49.90"))


def refund(order: str = ORDER, amount: str = "49.90") -> Deed:
    return Deed("refunds.create", {"orderId": order, "amountUSD": amount}, {"refundId": "rf"})


REPLACEMENT = Deed("replacements.create", {"orderId": ORDER}, {"replacementId": "rp"})
TICKET = Deed("tickets.create", {"summary": CLAIM}, {"ticketId": "tk"})
FOUND = Deed("knowledge.search", {"query": "x"}, {"articles": [{"id": "kb-shipping"}]})
NOT_FOUND = Deed("knowledge.search", {"query": "x"}, {"articles": []})

REFUNDED = f'{{"resolution": "refund", "orderId": "{ORDER}", "amountUSD": "49.90"}}'
REPLACED = f'{{"resolution": "replace", "orderId": "{ORDER}"}}'
ESCALATED = f'{{"resolution": "escalate", "orderId": "{ORDER}"}}'
ANSWERED = f'{{"resolution": "answer", "orderId": "{ORDER}"}}'


@pytest.mark.parametrize(
    ("answer", "deeds", "record", "verdict"),
    [
        (REFUNDED, [refund()], ENTITLED, VERIFIED),
        (f"```json\n{REFUNDED}\n```", [refund()], ENTITLED, VERIFIED),
        (REPLACED, [REPLACEMENT], ENTITLED, VERIFIED),
        (ESCALATED, [TICKET], NOTHING, VERIFIED),
        ("Your money is on its way.", [refund()], ENTITLED, "NotStructured"),
        ("[1]", [refund()], ENTITLED, "NotStructured"),
        ("[" * 100_000, [], ENTITLED, "NotStructured"),
        (REFUNDED.replace(ORDER, "1000"), [refund()], ENTITLED, "WrongOrder"),
        (REFUNDED, [], ENTITLED, "NotDone"),
        (REFUNDED, [refund(), refund()], ENTITLED, "NotDone"),
        (REFUNDED, [refund("1000")], ENTITLED, "NotDone"),
        (REFUNDED, [refund(amount="50.00")], ENTITLED, "WrongAmount"),
        (REFUNDED.replace("49.90", "50.00"), [refund()], ENTITLED, "WrongAmount"),
        (REFUNDED.replace("49.90", "much"), [refund()], ENTITLED, "WrongAmount"),
        (REFUNDED, [refund(), REPLACEMENT], ENTITLED, "NotEntitled"),
        (REFUNDED, [refund()], NOTHING, "NotEntitled"),
        (ESCALATED, [TICKET, refund()], NOTHING, "NotEntitled"),
        (REFUNDED, [refund()], Record(frozenset({"replace"})), "NotEntitled"),
        (ESCALATED, [TICKET], ENTITLED, "NotGranted"),
        (ESCALATED, [], NOTHING, "NotEscalated"),
        (ANSWERED, [TICKET], NOTHING, "NotEscalated"),
    ],
)
def test_an_answer_about_an_order_is_held_against_its_record(
    answer: str, deeds: list[Deed], record: Record, verdict: str
) -> None:
    assert judge(CLAIM, answer, deeds, record) == verdict


@pytest.mark.parametrize(
    ("answer", "deeds", "verdict"),
    [
        ('{"resolution": "answer", "article": "kb-shipping"}', [FOUND], VERIFIED),
        ('{"resolution": "answer", "article": "kb-returns"}', [FOUND], "NoSource"),
        ('{"resolution": "answer"}', [], "NoSource"),
        ('{"resolution": "escalate"}', [NOT_FOUND, TICKET], VERIFIED),
        ('{"resolution": "escalate"}', [NOT_FOUND], "NotDone"),
        ('{"resolution": "escalate"}', [FOUND, TICKET], "NoSource"),
    ],
)
def test_an_answer_to_a_question_needs_an_article_that_was_found(
    answer: str, deeds: list[Deed], verdict: str
) -> None:
    assert judge("How long does shipping take?", answer, deeds, Record()) == verdict


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(
    answer=st.text(max_size=80) | st.sampled_from([REFUNDED, REPLACED, ESCALATED, ANSWERED]),
    result=st.dictionaries(st.sampled_from(["articles", "refundId"]), JSON, max_size=2),
    tool=st.sampled_from(["refunds.create", "knowledge.search", "tickets.create"]),
    said=st.sampled_from([CLAIM, "How long?"]),
)
def test_a_verdict_is_given_whatever_model_and_tools_say(
    answer: str, result: dict[str, Any], tool: str, said: str
) -> None:
    assert judge(said, answer, [Deed(tool, result, result)], ENTITLED)
