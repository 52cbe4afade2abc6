"""The rules that the stand-in can follow, and the patterns by which it finds them in a prompt.

A pattern is a trigger with other concepts close by. The trigger must stand in an instruction:
what a condition says ("if no refund is allowed, ...") asks for nothing by itself. A later sentence
outweighs an earlier one, and a sentence without any pattern changes nothing.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from . import words as w
from .grammar import Sentence, sentences

_NEAR = 12
"""How many words a pattern's concepts may be away from its trigger."""


class Rule(StrEnum):
    """What a prompt can ask for."""

    LOOKUP = "Lookup"
    """Look the order up before deciding about it."""
    ENTITLEMENT = "Entitlement"
    """Grant only what the order's record allows."""
    AMOUNT = "Amount"
    """Refund exactly what the order's record says."""
    ACTION = "Action"
    """Carry a refund or replacement out with its tool before claiming it."""
    KNOWLEDGE = "Knowledge"
    """Answer questions from the knowledge base and cite the article."""
    ESCALATION = "Escalation"
    """Hand over to a person what cannot be granted."""
    STRUCTURE = "Structure"
    """Answer in JSON."""
    RECHECK = "Recheck"
    """Go over the answer before sending it."""
    DELIBERATION = "Deliberation"
    """Think at length: slower, and dearer in tokens."""


class Stance(StrEnum):
    """What a prompt says about a rule that it speaks of."""

    ASKED = "Asked"
    FORBIDDEN = "Forbidden"


@dataclass(frozen=True)
class Pattern:
    """One way to speak of a rule.

    Attributes:
        trigger: Must stand in an instruction; negations are counted where it stands.
        near: Each must stand near the trigger, conditions included.
        barred: None of these may stand closer to the trigger than those do: in "check the order
            before you send your answer" it is the order that is checked.
        under: Must stand in a condition of the same sentence ("refund if the order is eligible").
        opposite: The trigger names what the rule rules out ("never guess"): speaks only negated.
    """

    trigger: w.Concept
    near: tuple[w.Concept, ...] = ()
    barred: tuple[w.Concept, ...] = ()
    under: w.Concept | None = None
    opposite: bool = False


PATTERNS: Mapping[Rule, tuple[Pattern, ...]] = {
    Rule.LOOKUP: (
        Pattern(w.READ, (w.ORDER,), barred=(w.OWN_REPLY, w.ARTICLE)),
        Pattern(w.GUESS, (w.ORDER,), opposite=True),
    ),
    Rule.ENTITLEMENT: (
        Pattern(w.ENTITLED, (w.GRANT,)),
        Pattern(w.GRANT, under=w.ENTITLED),
    ),
    Rule.AMOUNT: (
        Pattern(w.OTHER_AMOUNT, (w.REFUND,), opposite=True),
        Pattern(w.OTHER_AMOUNT, (w.AMOUNT,), opposite=True),
        Pattern(w.AMOUNT, (w.EXACT,)),
        Pattern(w.AMOUNT, (w.ORDER, w.REFUND)),
        Pattern(w.EXACT, (w.ORDER, w.REFUND)),
    ),
    Rule.ACTION: (
        Pattern(w.CLAIM, (w.REFUND,), opposite=True),
        Pattern(w.CLAIM, (w.TOOL,), opposite=True),
        Pattern(w.ACT, (w.TOOL, w.GRANT)),
        Pattern(w.ACT, (w.CLAIM, w.GRANT)),
    ),
    Rule.KNOWLEDGE: (
        Pattern(w.OWN_MEMORY, (w.QUESTION,), barred=(w.ORDER, w.AMOUNT), opposite=True),
        Pattern(w.SEARCH, (w.ARTICLE,)),
        Pattern(w.CITE, (w.ARTICLE,), barred=(w.JSON, w.STRUCTURE)),
    ),
    Rule.ESCALATION: (
        Pattern(w.ESCALATE),
        Pattern(w.HAND_OVER, (w.PERSON,)),
    ),
    Rule.STRUCTURE: (
        Pattern(w.JSON),
        Pattern(w.STRUCTURE, (w.REPLY,)),
    ),
    Rule.RECHECK: (Pattern(w.RECHECK, (w.OWN_REPLY,), barred=(w.ORDER,)),),
    Rule.DELIBERATION: (Pattern(w.THINK, (w.AT_LENGTH,)),),
}


def read(text: str) -> Mapping[Rule, Stance]:
    """What a prompt asks for and forbids; rules that it leaves open are absent.

    >>> read("Be kind. Never refund an order without looking it up.")
    {<Rule.LOOKUP: 'Lookup'>: <Stance.ASKED: 'Asked'>}
    """
    stances: dict[Rule, Stance] = {}
    for sentence in sentences(text):
        for rule, stance in _spoken(sentence):
            stances.pop(rule, None)
            if stance is not None:
                stances[rule] = stance
    return stances


def stances(pattern: Pattern, text: str) -> Iterator[Stance | None]:
    """What each sentence of a text says about one pattern; None where it leaves it to choice."""
    for sentence in sentences(text):
        at = _match(pattern, sentence)
        if at is not None:
            yield _stance(pattern, sentence, at)


def _spoken(sentence: Sentence) -> Iterator[tuple[Rule, Stance | None]]:
    for rule, patterns in PATTERNS.items():
        for pattern in patterns:
            at = _match(pattern, sentence)
            if at is not None:
                yield rule, _stance(pattern, sentence, at)
                break


def _match(pattern: Pattern, sentence: Sentence) -> int | None:
    conditions = sentence.conditions()
    for at in w.find(pattern.trigger, sentence.text):
        if at in conditions or not _fits(pattern, sentence, at):
            continue
        if pattern.opposite and sentence.negations(at) % 2 == 0:
            continue
        return at
    return None


def _fits(pattern: Pattern, sentence: Sentence, at: int) -> bool:
    if pattern.under and not _conditions_name(pattern.under, sentence):
        return False
    near = [_distance(concept, sentence, at) for concept in pattern.near]
    farthest = max(near, default=_NEAR)
    return farthest <= _NEAR and all(
        _distance(concept, sentence, at) > farthest for concept in pattern.barred
    )


def _distance(concept: w.Concept, sentence: Sentence, at: int) -> float:
    """How many words away the concept is; without end where it is not said."""
    return min((abs(i - at) for i in w.find(concept, sentence.text) if i != at), default=math.inf)


def _conditions_name(concept: w.Concept, sentence: Sentence) -> bool:
    """Whether a condition of the sentence speaks of the concept."""
    return any(i in sentence.conditions() for i in w.find(concept, sentence.text))


def _stance(pattern: Pattern, sentence: Sentence, at: int) -> Stance | None:
    if sentence.waives(at):
        return None
    negations = sentence.negations(at) + int(pattern.opposite)
    if pattern.under:
        conditions = sentence.conditions()
        negations += sum(1 for i in w.find(w.NEGATOR, sentence.text) if i in conditions)
    return Stance.ASKED if negations % 2 == 0 else Stance.FORBIDDEN
