"""Templates are read for syntax and names: never rendered, never trusted, never slow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import nodes

from turnout.api.prompt import PromptFormat, PromptSpec
from turnout.core import templates
from turnout.core.mustache import Malformed, Names
from turnout.core.templates import MOST_TOKENS, problem_of, read_template, warning_of

PLAIN, MUSTACHE, JINJA = PromptFormat.PLAIN, PromptFormat.MUSTACHE, PromptFormat.JINJA
LARGEST = 262_144


def spec(form: PromptFormat, text: str, *variables: str) -> PromptSpec:
    declared = [{"name": name} for name in variables]
    document = {"role": "System", "format": form, "text": text, "variables": declared}
    return PromptSpec.model_validate(document)


def problem(form: PromptFormat, text: str) -> str | None:
    return problem_of(spec(form, text))


def warning(form: PromptFormat, text: str, *variables: str) -> str:
    return warning_of(spec(form, text, *variables))


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (PLAIN, "{{ {% } {{{ ${X} {0.__class__}"),
        (MUSTACHE, "Hello {{name}}, {{{ raw }}} and {{& also.raw }}."),
        (MUSTACHE, "{{#orders}}{{id}}{{^last}}, {{/last}}{{/orders}}"),
        (MUSTACHE, "{{! a {{ comment }}{{> partial }}{{<parent}}{{$block}}x{{/block}}{{/parent}}"),
        (MUSTACHE, "{{=<% %>=}}<% name %> {{ not a tag <%={{ }}=%>{{name}}"),
        (MUSTACHE, "{{#each}}\n{{.}}\n{{/each}}"),
        (MUSTACHE, "a } b }} c { d"),
        (JINJA, "{% for o in orders %}{{ loop.index }} {{ o.id|crm_link }}{% endfor %}"),
        (JINJA, "{% if a is crm_open %}{% do a.b() %}{% endif %}"),
        (JINJA, "{% raw %}{{ not jinja {% %}{% endraw %}{# {{ nor this #}"),
        (JINJA, '{% include "x" %}{% for a in b %}{% break %}{% endfor %}'),
    ],
)
def test_a_template_that_its_engine_would_take_is_taken(form: PromptFormat, text: str) -> None:
    assert problem(form, text) is None


@pytest.mark.parametrize(
    ("form", "text", "said"),
    [
        (MUSTACHE, "a\n{{name", "line 2: a tag is not closed by '}}'"),
        (MUSTACHE, "{{{name}}", "line 1: a tag is not closed by '}}}'"),
        (MUSTACHE, "{{#a}}\n\n{{#b}}", "line 3: '#b' is never closed"),
        (MUSTACHE, "{{#a}}\n{{#b}}\n{{/a}}", "line 3: '/a' closes '#b' of line 2"),
        (MUSTACHE, "one\ntwo{{/a}}", "line 2: '/a' closes nothing"),
        (MUSTACHE, "{{}}", "line 1: a tag has no name"),
        (MUSTACHE, "{{# }}", "line 1: a tag has no name"),
        (MUSTACHE, "{{#each items}}", "line 1: 'each items' is not a name: it has a space"),
        (MUSTACHE, "{{! a\nb }}\n{{\nx y }}", "line 3: 'x y' is not a name: it has a space"),
        (MUSTACHE, "{{=<%=}}", "line 1: '<%' are not two delimiters"),
        (MUSTACHE, "{{== ==}}", "line 1: '= =' are not two delimiters"),
        (MUSTACHE, "{{=a b}}", "line 1: a tag is not closed by '=}}'"),
        (MUSTACHE, "{{=a= b=}}", "line 1: 'a= b' are not two delimiters"),
        (MUSTACHE, "{{/\u202e}}", "line 1: '/\\u202e' closes nothing"),
        (MUSTACHE, "{{", "line 1: a tag is not closed by '}}'"),
        (JINJA, "a\nb {{ name", "line 2: unexpected end of template, expected 'end of print"),
        (JINJA, "\n{% if a %}b", "line 2: Unexpected end of template."),
        (JINJA, "\n{% frobnicate %}", "line 2: Encountered unknown tag 'frobnicate'."),
        (JINJA, "{{ a b }}", "line 1: expected token 'end of print statement', got 'b'"),
        (JINJA, "{{ \u202e }}", "line 1: unexpected char '\\u202e' at 3"),
        (JINJA, "\n\n{{ " + "9" * 5_000 + " }}", "line 3: a number of more than 1000 digits"),
        (JINJA, "\n{{ " + "(" * 33 + "a" + ")" * 33 + " }}", "line 2: brackets nest more than 32"),
        (JINJA, "\n{{ " + "not " * 4_000 + "a }}", "line 2: nests too deep to be read"),
    ],
)
def test_a_template_that_does_not_parse_is_refused_by_line(
    form: PromptFormat, text: str, said: str
) -> None:
    assert (problem(form, text) or "").startswith(said)


@pytest.mark.parametrize(
    ("form", "text", "variables", "said"),
    [
        (MUSTACHE, "{{a}} {{b.c}} {{^d}}{{e}}{{/d}}", "abde", ""),
        (MUSTACHE, "{{#orders}}{{id}}{{/orders}}", ["orders"], ""),
        (MUSTACHE, "{{#orders}}{{id}}{{/orders}}", ["orders", "id"], ""),
        (MUSTACHE, "{{.}}", [], ""),
        (MUSTACHE, "{{b}} {{a}}", [], "not declared as variables: a, b"),
        (MUSTACHE, "{{a}}", "abc", "declared, but not in the text: b, c"),
        (PLAIN, "{{a}}", "a", "declared, but not in the text: a"),
        (PLAIN, "{{a}}", "", ""),
        (JINJA, "{% for a in b %}{{ a }}{{ loop.index }}{{ range(3) }}{% endfor %}", "b", ""),
        (JINJA, "{% set a = 1 %}{{ a }}{% macro m(x) %}{{ x }}{% endmacro %}{{ m(2) }}", "", ""),
        (JINJA, '{% import "x" as x %}{% from "y" import y, z as q %}{{ x + y + q }}', "", ""),
        (JINJA, "{{ a.b['c'] }}{{ d|default('e') }}", "a", "not declared as variables: d"),
        (JINJA, "{{ a }}", "b", "not declared as variables: a; declared, but not in the text: b"),
        (
            JINJA,
            "".join(f"{{{{ v{number} }}}}" for number in range(10)),
            [],
            "not declared as variables: v0, v1, v2, v3, v4, v5, v6, v7 and 2 more",
        ),
        (MUSTACHE, "{{\u202ea}}", [], "not declared as variables: '\\u202ea'"),
        (MUSTACHE, "{{a", ["b"], ""),
    ],
)
def test_what_is_undeclared_or_unused_is_a_warning(
    form: PromptFormat, text: str, variables: list[str], said: str
) -> None:
    assert warning(form, text, *variables) == said


@pytest.mark.parametrize("text", ["{{ 10 ** 10 ** 10 }}", "{{ 'a' * 10 ** 12 }}", "{{ x|mine }}"])
def test_constants_and_filters_are_the_agents_own_business(text: str) -> None:
    assert problem(JINJA, text) is None


def whole(unit: str, before: str = "", after: str = "") -> str:
    return (before + unit * (LARGEST // len(unit)))[: LARGEST - len(after)] + after


@pytest.mark.parametrize(
    "text",
    [
        whole("{{a}}"),
        whole("a+", "{{", "a}}"),
        whole("(", "{{"),
        whole("[", "{{"),
        whole("|a", "{{a", "}}"),
        whole("not ", "{{"),
        whole("a if a else ", "{{"),
        whole("{% if a %}"),
        whole("{% for a in b %}"),
        whole("{% macro a(b) %}"),
        whole("'", "{{"),
        whole("{{- "),
        whole("()", "{{a", "}}"),
    ],
    ids=range(13),
)
def test_the_largest_hostile_template_is_refused_before_it_costs_anything(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[nodes.Template] = []
    monkeypatch.setattr(templates, "_names", read.append)
    said = problem(JINJA, text) or ""
    assert f"more than {MOST_TOKENS}" in said or "nest more than" in said
    assert not read


@pytest.mark.parametrize("text", [whole("{{#a}}"), whole("{{a}}"), whole("{{"), whole("{{&a}}{{!")])
def test_the_largest_hostile_mustache_is_refused(text: str) -> None:
    assert problem(MUSTACHE, text) is not None


def test_delimiters_that_change_all_the_time_are_read() -> None:
    assert problem(MUSTACHE, whole("{{=<% %>=}}<%={{ }}=%>", after=" ")) is None


WORDS = ["a", "if", "for", "in", "set", "endif", "endfor", "1", "e9", "/", "^", "=", "\\", "'"]
MARKS = [
    "|",
    "(",
    ")",
    ".",
    "#",
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "{{{",
    "}}}",
    " ",
    "\n",
    "\u202e",
    "\0",
]
PIECES = st.sampled_from(WORDS + MARKS)
TEXTS = st.one_of(st.text(max_size=300), st.lists(PIECES, max_size=60).map("".join))


@given(st.sampled_from(PromptFormat), TEXTS)
def test_any_text_is_read_or_refused_by_line(form: PromptFormat, text: str) -> None:
    found = read_template(form, text)
    if isinstance(found, Names):
        assert found.needed <= found.named
    else:
        assert isinstance(found, Malformed)
        assert 1 <= found.line <= len(text.splitlines()) + 1
        assert found.problem.isprintable()
        assert len(found.problem) < 300


@given(st.text(alphabet=st.characters(exclude_characters="{}%#"), max_size=200))
def test_a_text_without_tags_needs_nothing(text: str) -> None:
    for form in PromptFormat:
        assert read_template(form, text) == Names()
