"""What differs between two versions, as a person reads it."""

import json
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from tests.cli.contents import MODEL, SCHEMA, TEXT, parts, policy, registry, tool
from tests.support.manifests import prompt
from turnout.api.version import Plane
from turnout.cli.difference import Compared, document_of, lines_of
from turnout.cli.options import View
from turnout.cli.planes import Fate, PlaneDifference, compare
from turnout.cli.screen import Marks

FORMER = parts()


def compared(after: Any, before: Any = FORMER) -> Compared:
    planes = compare(before, after)
    names = ("support-9c41e07b2d", "support-e07b11aa02")
    return Compared(*names, ("stable", "candidate"), planes)


def shown(found: Compared, view: View = View.LINES, width: int = 100) -> str:
    out = StringIO()
    console = Console(file=out, width=width, highlight=False, markup=False)
    for line in lines_of(found, Marks(), view, width):
        console.print(line, soft_wrap=True)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def differing(found: Compared) -> dict[Plane, PlaneDifference]:
    return {one.plane: one for one in found.changed}


def paths(plane: PlaneDifference) -> list[tuple[str, Any, Any]]:
    return [(one.path, one.before, one.after) for part in plane.parts for one in part.fields]


WORD = TEXT.replace("Offer a refund", "Give a refund")
REQUIRED = SCHEMA | {"required": ["order", "reason"]}


def test_a_word_a_schema_field_and_a_limit_are_shown_exactly_and_by_plane() -> None:
    after = parts(registry(tool(schema=REQUIRED)), policy(maxSteps=10), text=WORD)
    assert (
        shown(compared(after))
        == """\
support-9c41e07b2d (stable) → support-e07b11aa02 (candidate)
● prompt   ● tools   ● policy   ○ model same   ○ runtime same

PROMPT   1 of 1
± support-system   30 words
    @@ -1,5 +1,5 @@
      You are the support agent of a small shop.

      - Look the order up before you decide anything about it.
    - - Offer a refund when the customer asks for one.
    + - Give a refund when the customer asks for one.
      - Be brief.

TOOLS   1 of 2
± refunds.create
    inputSchema.properties.reason   optional → required   !

POLICY
  limits.maxSteps   8 → 10

! calls that were valid before may be refused now

! 3 planes change at once: a regression could come from any of them"""
    )


def test_the_same_content_has_no_difference() -> None:
    assert shown(compared(parts())).splitlines()[1:] == ["the same content"]


def test_words_are_shown_inside_their_line() -> None:
    text = shown(compared(parts(text=WORD)), View.WORDS)
    assert "      - [-Offer-]{+Give+} a refund when the customer asks for one." in text
    assert "@@" not in text


def test_columns_stand_side_by_side_within_the_width() -> None:
    text = shown(compared(parts(text=WORD)), View.COLUMNS, 80)
    assert max(map(len, text.splitlines())) <= 80
    row = next(line for line in text.splitlines() if "Offer" in line)
    left, _, right = row.partition(" | ")
    assert "- Offer a refund" in left
    assert "- Give a refund" in right


def test_a_long_line_is_never_cut() -> None:
    long = "word " * 3000
    found = compared(parts(text=long + "end"), parts(text=long + "End"))
    for view in View:
        assert shown(found, view).count("word") >= 3000
    assert shown(found).count(long) == 2


def test_a_last_line_without_an_end_is_a_difference() -> None:
    text = shown(compared(parts(text=TEXT.rstrip("\n"))))
    assert "+ \\ no newline at the end" in text


def test_marks_that_steer_a_terminal_are_written_out() -> None:
    text = shown(compared(parts(text=TEXT + "\x1b[2J \u202etxt\n")))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "+ \\x1b[2J \\u202etxt" in text


def test_fields_of_a_prompt_other_than_its_text_are_fields() -> None:
    after = prompt(TEXT)
    after["spec"] |= {"format": "Mustache", "variables": [{"name": "customer"}]}
    plane = differing(compared(parts(after)))[Plane.PROMPT]
    assert plane.parts[0].text is None
    assert [path for path, _, _ in paths(plane)] == ["format", "variables[customer]"]


def test_prompts_that_change_places_are_a_difference() -> None:
    refs = [{"name": "support-system"}, {"name": "tone"}]
    tone = prompt("Be kind.", "tone")
    before, after = parts(tone, promptRefs=refs), parts(tone, promptRefs=refs[::-1])
    assert paths(differing(compared(after, before))[Plane.PROMPT]) == [
        ("(order)", ["support-system", "tone"], ["tone", "support-system"])
    ]


def test_tools_come_and_go() -> None:
    plane = differing(compared(parts(registry(tool("tickets.create")))))[Plane.TOOLS]
    fates = {part.name: part.fate for part in plane.parts}
    assert fates == {"refunds.create": Fate.REMOVED, "tickets.create": Fate.ADDED}
    text = shown(compared(parts(registry(tool("tickets.create")))))
    assert "TOOLS   1 of 2   1 gone" in text
    assert "- refunds.create" in text
    assert "+ tickets.create" in text
    assert "!" not in text


def test_what_the_model_reads_of_a_tool_is_shown_whole() -> None:
    said = "Refund an order in full or in part, after its record was read and the sum confirmed."
    text = shown(compared(parts(registry(tool(description=said)))))
    assert f"      + {said}" in text


def test_a_model_is_compared_inside_its_json_text_too() -> None:
    before = parts(model=MODEL | {"extra": '{"seed": 7, "top_p": 1}'})
    after = parts(model=MODEL | {"temperature": "0.7", "extra": '{"seed": 8, "top_p": 1}'})
    assert paths(differing(compared(after, before))[Plane.MODEL]) == [
        ("temperature", "0.2", "0.7"),
        ("extra.seed", 7, 8),
    ]


def test_a_plane_that_came_is_shown_with_its_fields() -> None:
    plane = differing(compared(FORMER, parts(model=None)))[Plane.MODEL]
    assert plane.parts[0].fate is Fate.ADDED
    assert [path for path, _, _ in paths(plane)] == ["provider", "name", "temperature"]


def template(image: str = "example/agent:1", **labels: str) -> dict[str, Any]:
    pod = {"spec": {"containers": [{"name": "agent", "image": image}]}}
    return pod | ({"metadata": {"labels": labels}} if labels else {})


def test_an_image_is_a_field_and_a_label_of_a_deployment_tool_is_none() -> None:
    before = parts(template=template(**{"helm.sh/chart": "support-1"}))
    labelled = parts(template=template(**{"helm.sh/chart": "support-2"}))
    assert compared(labelled, before).changed == ()
    after = parts(template=template("example/agent:2", **{"helm.sh/chart": "support-2"}))
    assert paths(differing(compared(after, before))[Plane.RUNTIME]) == [
        ("spec.containers[agent].image", "example/agent:1", "example/agent:2")
    ]


def test_programs_get_every_field_and_the_whole_text() -> None:
    after = parts(registry(tool(schema=REQUIRED)), text=WORD)
    found = json.loads(json.dumps(document_of(compared(after))))
    by_plane = {one["plane"]: one for one in found["planes"]}
    assert found["same"] is False
    assert by_plane["Policy"] == {"plane": "Policy", "same": True, "parts": []}
    (changed,) = by_plane["Tools"]["parts"]
    assert changed["fields"] == [
        {
            "path": "inputSchema.properties.reason",
            "before": "optional",
            "after": "required",
            "breaking": True,
        }
    ]
    (text,) = by_plane["Prompt"]["parts"]
    assert (text["text"]["before"], text["text"]["after"]) == (TEXT, WORD)


SCHEMAS: list[tuple[str, Any, list[tuple[str, bool]]]] = [
    ("a description says something else", {"description": "b"}, [("description", False)]),
    (
        "a property may be given",
        {"properties": SCHEMA["properties"] | {"note": {}}},
        [("properties.note", False)],
    ),
    (
        "a property must be given",
        {"properties": SCHEMA["properties"] | {"note": {}}, "required": ["order", "note"]},
        [("properties.note", True)],
    ),
    (
        "a property is gone",
        {"properties": {"order": {"type": "string"}}},
        [("properties.reason", True)],
    ),
    ("a required one may be left out", {"required": []}, [("properties.order", False)]),
    (
        "a value of an enum is gone and one came",
        {
            "properties": SCHEMA["properties"]
            | {"reason": {"type": "string", "enum": ["broken", "late", "lost"]}}
        },
        [("properties.reason.enum[]", True), ("properties.reason.enum[]", False)],
    ),
    ("nothing else is taken", {"additionalProperties": False}, [("additionalProperties", True)]),
    ("more is asked for", {"minProperties": 2}, [("minProperties", True)]),
    (
        "a type is another",
        {"properties": SCHEMA["properties"] | {"order": {"type": "integer"}}},
        [("properties.order.type", True)],
    ),
]


@pytest.mark.parametrize("what, more, expected", SCHEMAS, ids=[row[0] for row in SCHEMAS])
def test_a_schema_says_which_calls_it_may_now_refuse(
    what: str, more: Any, expected: list[tuple[str, bool]]
) -> None:
    found = compared(parts(registry(tool(schema=SCHEMA | more))))
    fields = [one for part in differing(found)[Plane.TOOLS].parts for one in part.fields]
    assert [(one.path.removeprefix("inputSchema."), one.breaking) for one in fields] == expected
