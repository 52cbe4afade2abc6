"""Prompts that are templates: read for syntax and for names, never rendered.

The text is hostile until it is read. Jinja's own analysis of names (`jinja2.meta`) is not used: it
generates code, and on the way evaluates constants, `10 ** 10 ** 10` among them, and refuses filters
that only the agent has (measured, 3.1). Its lexer and parser do neither, and the number of tokens
bounds their time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import assert_never

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.parser import Parser

from turnout.api.prompt import PromptFormat, PromptSpec
from turnout.core.jsontext import DEEPEST
from turnout.core.mustache import Malformed, Names, read_mustache

MOST_TOKENS = 10_000
"""Tokens of Jinja, or tags of Mustache, that are read: the largest chat templates have 2,000."""

_MOST_DIGITS = 1_000
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")
_SHOWN_NAMES = 8
_SHOWN_TEXT = 200
_JINJA = Environment(autoescape=True, extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"])
_GIVEN = frozenset(_JINJA.globals) | {"caller", "kwargs", "loop", "self", "super", "varargs"}
"""Names that Jinja itself gives a meaning."""


def problem_of(spec: PromptSpec) -> str | None:
    """Say why a Prompt's text cannot be a template of its format, by line; None where it can."""
    if spec.text is None:
        return "the text is not at hand"
    names = read_template(spec.format, spec.text)
    return str(names) if isinstance(names, Malformed) else None


def warning_of(spec: PromptSpec) -> str:
    """Say where the text and the declared variables differ; empty where nowhere."""
    names = read_template(spec.format, spec.text or "")
    if isinstance(names, Malformed):
        return ""
    declared = {variable.name for variable in spec.variables}
    parts = (
        ("not declared as variables", names.needed - declared),
        ("declared, but not in the text", declared - names.named),
    )
    return "; ".join(f"{what}: {_listed(which)}" for what, which in parts if which)


@lru_cache(maxsize=64)
def read_template(form: PromptFormat, text: str) -> Names | Malformed:
    """Read the names of a template, or why it cannot be read."""
    try:
        return _read(form, text)
    except Malformed as malformed:
        return malformed.with_traceback(None)


def _read(form: PromptFormat, text: str) -> Names:
    match form:
        case PromptFormat.PLAIN:
            return Names()
        case PromptFormat.MUSTACHE:
            return read_mustache(text, MOST_TOKENS)
        case PromptFormat.JINJA:
            return _read_jinja(text)
    assert_never(form)


def _listed(names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = f" and {len(ordered) - _SHOWN_NAMES} more" if len(ordered) > _SHOWN_NAMES else ""
    return ", ".join(_printable(name[:64]) for name in ordered[:_SHOWN_NAMES]) + more


def _printable(text: str) -> str:
    return text if text.isprintable() else repr(text)


def _read_jinja(text: str) -> Names:
    try:
        _bound(text)
        parser = Parser(_JINJA, text)
        try:
            tree = parser.parse()
        except RecursionError:
            line = parser.stream.current.lineno
            raise Malformed(line, "nests too deep to be read") from None
    except TemplateSyntaxError as error:
        message = _printable((error.message or "syntax error")[:_SHOWN_TEXT])
        raise Malformed(error.lineno, message) from None
    loaded, bound = _names(tree)
    return Names(frozenset(loaded - bound), frozenset(loaded))


def _bound(text: str) -> None:
    """Refuse what would take long to parse, before it is parsed."""
    depth = 0
    for count, (line, kind, token) in enumerate(_JINJA.lexer.tokeniter(text, None), start=1):
        if count > MOST_TOKENS:
            raise Malformed(line, f"more than {MOST_TOKENS} tokens of Jinja")
        if kind == "integer" and len(token) > _MOST_DIGITS:
            raise Malformed(line, f"a number of more than {_MOST_DIGITS} digits")
        if kind == "operator":
            depth += (token in _OPENING) - (token in _CLOSING)
        if depth > DEEPEST:
            raise Malformed(line, f"brackets nest more than {DEEPEST} deep")


def _names(tree: nodes.Template) -> tuple[set[str], set[str]]:
    """Return the names that are read, and those that the template binds somewhere itself.

    Where it does so is not looked at: what it binds at all is not asked of the agent.
    """
    loaded: set[str] = set()
    bound = set(_GIVEN)
    pending: list[nodes.Node] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, nodes.Name) and node.ctx == "load":
            loaded.add(node.name)
        else:
            bound.update(_binds(node))
        pending.extend(node.iter_child_nodes())
    return loaded, bound


def _binds(node: nodes.Node) -> Iterator[str]:
    match node:
        case nodes.Name() | nodes.Macro():
            yield node.name
        case nodes.Import():
            yield node.target
        case nodes.FromImport():
            yield from (name if isinstance(name, str) else name[1] for name in node.names)
        case _:
            return
