"""Graders: what one answer to one task is held to."""

from enum import StrEnum
from typing import Annotated, Self, TypeAlias

from pydantic import Field, model_validator

from turnout.api.base import Decimals, Wire, Word
from turnout.api.schema import ATOMIC, SET, Cel

_Words = Annotated[str, Field(min_length=1, max_length=4096)]
_Document = Annotated[str, Field(min_length=2, max_length=32768)]
_Path = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^\$")]
_Tool = Annotated[str, Field(min_length=1, max_length=128)]
_Times = Annotated[int, Field(ge=1, le=1000)]


class TextMatch(StrEnum):
    """What of a text matters."""

    LITERAL = "Literal"
    FOLDED = "Folded"


class Exact(Wire):
    """The answer is this text."""

    text: _Words
    """The whole answer, such as `yes`."""
    match: TextMatch = TextMatch.LITERAL
    """Literal compares every character; Folded leaves case aside, and how words are spaced."""


class Contains(Wire):
    """The answer holds these texts."""

    all_of: Annotated[tuple[_Words, ...], Field(max_length=16), SET] = ()
    """Texts that all stand in the answer, such as `within 30 days`."""
    none_of: Annotated[tuple[_Words, ...], Field(max_length=16), SET] = ()
    """Texts of which none stands in it."""
    match: TextMatch = TextMatch.LITERAL
    """Literal compares every character; Folded leaves case aside, and how words are spaced."""


class Regex(Wire):
    """A regular expression is found in the answer."""

    pattern: Annotated[str, Field(min_length=1, max_length=1024)]
    """Expression without look-around and back references, so that matching takes linear time,
    such as `order [0-9]{4}`."""


class JsonPath(Wire):
    """The answer is JSON and holds a value at a path."""

    path: _Path
    """Place in the answer, by names, positions and `[*]`: `$.items[0].price`, `$['order id']`."""
    equals: _Words | None = None
    """The value there: of a text its words, of anything else its JSON (`7`, `true`, `["a"]`);
    absent where it only has to be there. With `[*]` one of the values is enough."""


class JsonSchema(Wire):
    """The answer is JSON that a schema allows."""

    document: _Document
    """JSON Schema 2020-12, as JSON. References into other documents are not followed."""


class Number(Wire):
    """The answer is a number, or holds one, near another."""

    value: Annotated[str, Field(max_length=18, pattern=r"^-?[0-9]{1,9}(\.[0-9]{1,6})?$")]
    """What it should be, such as `142.67`."""
    tolerance: Decimals = "0"
    """How far from it the answer may be, in the same unit."""
    path: _Path | None = None
    """Place of the number in an answer in JSON; absent where the answer is text with one number."""


class Order(StrEnum):
    """How the calls that were made relate to those listed."""

    EXACT = "Exact"
    IN_ORDER = "InOrder"
    ANY_ORDER = "AnyOrder"
    SUBSET = "Subset"


class ExpectedCall(Wire):
    """One call of a tool."""

    tool: _Tool
    """Name of the tool."""
    arguments: _Document | None = None
    """JSON object whose keys the call's arguments have with these values: `{"orderId": "1042"}`.
    Other keys are free."""
    arguments_schema: _Document | None = None
    """JSON Schema 2020-12 that the arguments must obey."""


class Trajectory(Wire):
    """The way to the answer: which tools were called, and how."""

    order: Order = Order.IN_ORDER
    """Exact: these calls, in this order, no others. InOrder: these in this order, others in
    between. AnyOrder: these in any order, others besides. Subset: no call that is not listed."""
    calls: Annotated[tuple[ExpectedCall, ...], Field(max_length=32), ATOMIC] = ()
    """The calls."""
    forbidden: Annotated[tuple[_Tool, ...], Field(max_length=32), SET] = ()
    """Tools that must not be called at all."""
    most_calls: _Times | None = None
    """How many calls may be made in all."""
    most_repeats: _Times | None = None
    """How often one call may be made with the same arguments: more is a loop."""


Rule: TypeAlias = Exact | Contains | Regex | JsonPath | JsonSchema | Number | Trajectory


class Grader(Wire):
    """One thing that an answer is held to; an answer passes where all its graders agree.

    Exactly one of the fields besides `name` is set.
    """

    cel = (
        Cel(
            "[has(self.exact), has(self.contains), has(self.regex), has(self.jsonPath), "
            "has(self.jsonSchema), has(self.number), has(self.trajectory)].filter(set, set)"
            ".size() == 1",
            "exactly one field besides name is set",
        ),
    )

    name: Word
    """What results call it, such as `refunds-the-amount`."""
    exact: Exact | None = None
    """The whole answer. Example: {text: "yes"}."""
    contains: Contains | None = None
    """Texts that are in the answer, and texts that are not. Example: {allOf: [refunded]}."""
    regex: Regex | None = None
    """A pattern that is found in the answer. Example: {pattern: "order [0-9]{4}"}."""
    json_path: JsonPath | None = None
    """A value at a place of an answer in JSON. Example: {path: $.resolution, equals: refund}."""
    json_schema: JsonSchema | None = None
    """A schema that an answer in JSON obeys. Example: {document: '{"type": "object"}'}."""
    number: Number | None = None
    """A number that the answer is near to. Example: {value: "142.67", tolerance: "0.01"}."""
    trajectory: Trajectory | None = None
    """The calls of tools on the way to the answer. Example: {forbidden: [accounts.delete]}."""

    @property
    def rule(self) -> Rule:
        """The field that is set."""
        return self._rules()[0]

    def _rules(self) -> list[Rule]:
        fields = (
            self.exact,
            self.contains,
            self.regex,
            self.json_path,
            self.json_schema,
            self.number,
            self.trajectory,
        )
        return [one for one in fields if one is not None]

    @model_validator(mode="after")
    def _one_is_set(self) -> Self:
        if len(self._rules()) != 1:
            raise ValueError("exactly one field besides name must be set")
        return self
