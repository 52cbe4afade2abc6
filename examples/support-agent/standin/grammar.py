"""Sentences: where their clauses and conditions are, and whether they ask or forbid.

A sentence ends at `.`, `!`, `?` or `;`, at an empty line and where a list's next point begins;
other line breaks mean nothing. Clauses end at commas, colons, brackets, dashes and "but".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .words import (
    CONDITION,
    HINGE,
    IDIOMS,
    NEGATOR,
    NOUGHT,
    PASSED_OVER,
    RESTRICTION,
    WAIVER,
    Concept,
    find,
)

BREAK = "|"
"""Stands for the end of a clause in a normalised sentence."""

_SENTENCE_END = re.compile(r"[.!?;]+(?=\s|$)|\n\s*\n|\n\s*(?=(?:[-*•]|\d+[.)])\s)")
_CLAUSE_END = re.compile(r"[,:()]|\s[-\u2013]+\s|\u2014|\bbut\b")
_WORD = re.compile(r"[a-z0-9']+|\|")


@dataclass(frozen=True)
class Sentence:
    """One sentence in normal form: lower case, single spaces, `|` between clauses."""

    text: str

    @property
    def words(self) -> list[str]:
        """The words and clause ends, in order."""
        return self.text.split()

    def clause(self, at: int) -> range:
        """The positions of the clause around a word."""
        words = self.words
        start = max((i for i in range(at) if words[i] == BREAK), default=-1) + 1
        end = next((i for i in range(at, len(words)) if words[i] == BREAK), len(words))
        return range(start, end)

    def has(self, concept: Concept, within: range) -> bool:
        """Whether the concept begins somewhere in these positions."""
        return any(at in within for at in find(concept, self.text))

    def conditions(self) -> frozenset[int]:
        """The words that name a condition ("if the order is unknown"), not an instruction.

        "Only if" is no condition in this sense: what follows it is the instruction.
        """
        words = self.words
        inside: set[int] = set()
        for start in find(CONDITION, self.text):
            clause = self.clause(start)
            if self.has(RESTRICTION, range(clause.start, start)):
                continue
            then = next((i for i in range(start, clause.stop) if words[i] == "then"), clause.stop)
            inside.update(range(start, then))
        return frozenset(inside)

    def waives(self, at: int) -> bool:
        """Whether what is said at a word is left to choice ("you need not", "is optional")."""
        return self.has(WAIVER, self.clause(at)) and not self.has(RESTRICTION, self.clause(at))

    def negations(self, at: int) -> int:
        """How often what is said at a word is turned round: an even number asks, an odd forbids.

        "Never decide before you have looked the order up" turns twice round "looked".
        """
        conditions = self.conditions()
        return sum(1 for found in self._negators(at) if found not in conditions or at in conditions)

    def _negators(self, at: int) -> set[int]:
        clause = self.clause(at)
        hinges = [i for i in find(HINGE, self.text) if clause.start <= i < at]
        scope = range(0 if hinges else clause.start, at)
        negators = {i for i in find(NEGATOR, self.text) if i in scope}
        if negators - set(hinges):
            negators.update(hinges)
        after = range(at, clause.stop)
        if self.has(PASSED_OVER, after):
            negators.update(i for i in find(NEGATOR, self.text) if i in after)
            negators.update(i for i in find(PASSED_OVER, self.text) if i in after)
        return negators | {i for i in find(NOUGHT, self.text) if i == at + 1}


def sentences(text: str) -> Iterator[Sentence]:
    """The sentences of a prompt, in order."""
    for part in _SENTENCE_END.split(text):
        words = _WORD.findall(_CLAUSE_END.sub(f" {BREAK} ", _plain(part)))
        normal = " ".join(words)
        for idiom, meaning in IDIOMS.items():
            normal = re.sub(rf"\b{idiom}\b", meaning, normal)
        if normal.strip(f" {BREAK}"):
            yield Sentence(" ".join(normal.split()))


def _plain(text: str) -> str:
    text = text.lower().replace("\u2019", "'").replace("cannot", "can not")
    return re.sub(r"n't\b", " not", text)
