"""Documents that nobody should write: from the kinds' own schemas, and beyond them.

Each begins as a good document. Then a few things in it are changed: a value that its schema allows,
one that it does not, a field too many, a field too few, an item twice, a name that is none.
"""

import copy
import functools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from hypothesis import strategies as st

from tests.api.documents import SPECS
from tests.support.manifests import agent

Document = dict[str, Any]
Spot = tuple[Any, Any]
"""A dict or list, and the key or index of a value in it."""

CRDS: Final = Path(__file__).parents[2] / "crds"
PLURALS: Final = {
    "Agent": "agents",
    "Prompt": "prompts",
    "ToolRegistry": "toolregistries",
    "AgentPolicy": "agentpolicies",
}
_DEEP: Final = 4  # levels of a schema below which nothing optional is written

NASTY: Final = (
    *("", " ", "\x00", "a\x00b", "\u202egnp.exe", "\u200b", "\ud800", "\U0001f4a3", "Ωmega", "ﬁ"),
    *("{{", "{% if %}", "{{{x}}}", "{0.__class__}", "${X}", "$(id)", "<b>", "'; --", "../x", "//h"),
    *("NaN", "1e400", "-1", "0x7f.1", "null", "true", "9" * 400, "x" * 300, "y" * 70_000),
    *("file:///etc/passwd", "http://u:p@h", "http://169.254.169.254", "5m5m", "0s", "101%"),
    *('{"a":' * 300 + "1" + "}" * 300, '{"type": 7}', "[" * 5000, '{"$ref": "#"}', "a.all(x, "),
)


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return value


anything: Final = st.one_of(
    st.sampled_from(NASTY),
    st.text(max_size=40),
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(st.sampled_from(NASTY), max_size=3),
    st.dictionaries(st.text(max_size=10), st.sampled_from(NASTY), max_size=3),
    st.integers(1, 400).map(_nested),
)


@functools.cache
def schema_of(kind: str) -> Document:
    """Read the schema of a kind's spec from its CRD."""
    crd = yaml.load((CRDS / f"{PLURALS[kind]}.yaml").read_text(), yaml.CSafeLoader)
    [version] = crd["spec"]["versions"]
    spec: Document = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return spec


@st.composite
def allowed(draw: st.DrawFn, schema: Document, level: int = 0) -> Any:
    """Write a value that a schema allows, as far as types, bounds and patterns say."""
    return draw(_allowed(schema, level))


def _allowed(schema: Document, level: int) -> st.SearchStrategy[Any]:
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    least, most = schema.get("minimum", -1), schema.get("maximum", 2**31 - 1)
    made: dict[str | None, Callable[[], st.SearchStrategy[Any]]] = {
        "object": lambda: _objects(schema, level),
        "array": lambda: _lists(schema, level),
        "string": lambda: _texts(schema),
        "integer": lambda: st.integers(least, most),
        "boolean": st.booleans,
    }
    return made.get(schema.get("type"), lambda: anything)()


def _lists(schema: Document, level: int) -> st.SearchStrategy[list[Any]]:
    least = schema.get("minItems", 0)
    return st.lists(allowed(schema["items"], level + 1), min_size=least, max_size=least + 2)


@st.composite
def _objects(draw: st.DrawFn, schema: Document, level: int) -> Document:
    if isinstance(schema.get("additionalProperties"), dict):
        keys = st.one_of(st.sampled_from(NASTY), st.from_regex(r"\A[a-z]{1,9}\Z"))
        values = allowed(schema["additionalProperties"], level + 1)
        return draw(st.dictionaries(keys, values, max_size=2))
    known: Document = schema.get("properties") or {}
    required = set(schema.get("required") or ())
    optional = sorted(set(known) - required) if level < _DEEP else []
    more = draw(st.sets(st.sampled_from(optional), max_size=2)) if optional else set()
    return {name: draw(allowed(known[name], level + 1)) for name in sorted(required | more)}


def _texts(schema: Document) -> st.SearchStrategy[str]:
    most = min(schema.get("maxLength", 60), 60)
    if "pattern" in schema:
        pattern: str = schema["pattern"]
        return st.from_regex(pattern).map(lambda text: text[:most])
    return st.text(min_size=min(schema.get("minLength", 0), most), max_size=most)


def good(kind: str) -> Document:
    """Give a document of a kind that rolls out as it is."""
    spec = agent(replicas=1)["spec"] if kind == "Agent" else SPECS[kind]
    return {
        "apiVersion": "turnout.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": "support"},
        "spec": copy.deepcopy(spec),
    }


def _spots(value: Any) -> Iterator[Spot]:
    """Give every place in a document at which there is a value."""
    keys = list(value) if isinstance(value, dict) else range(len(value))
    for key in keys:
        yield value, key
        if isinstance(value[key], dict | list):
            yield from _spots(value[key])


def refer(document: Document, newest: Mapping[str, str]) -> None:
    """Let an Agent use other documents, by kind and name, where nothing spoiled its references."""
    spec = document["spec"]
    if document["kind"] != "Agent" or not isinstance(spec, dict):
        return
    for field, kind in (("toolRegistryRef", "ToolRegistry"), ("policyRef", "AgentPolicy")):
        if kind in newest:
            spec.setdefault(field, {"name": newest[kind]})
    if "Prompt" in newest and spec.get("promptRefs") == good("Agent")["spec"]["promptRefs"]:
        spec["promptRefs"].append({"name": newest["Prompt"]})


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Write a document and spoil it."""
    kind = draw(st.sampled_from(["Agent", *PLURALS]))
    document = good(kind)
    for _ in range(draw(st.integers(0, 2))):
        draw(st.sampled_from(_CHANGES))(draw, document)
    return document


def _with_an_allowed_value(draw: st.DrawFn, document: Document) -> None:
    known = schema_of(document["kind"])["properties"]
    name = draw(st.sampled_from(sorted(known)))
    if name != "template":
        document["spec"][name] = draw(allowed(known[name]))


def _with_an_allowed_pod(draw: st.DrawFn, document: Document) -> None:
    """Change a field of the pod template, or of its container, within their schemas."""
    template = document["spec"].get("template")
    if not isinstance(template, dict) or template != good("Agent")["spec"]["template"]:
        return
    place: Any = template["spec"]
    known = schema_of("Agent")["properties"]["template"]["properties"]["spec"]["properties"]
    if draw(st.booleans()):
        place, known = place["containers"][0], known["containers"]["items"]["properties"]
    name = draw(st.sampled_from(sorted(known)))
    place[name] = draw(allowed(known[name], 1))


def _with_any_value(draw: st.DrawFn, document: Document) -> None:
    place, key = draw(st.sampled_from(list(_spots(document["spec"]))))
    place[key] = draw(anything)


def _with_another_text(draw: st.DrawFn, document: Document) -> None:
    texts = [one for one in _spots(document["spec"]) if isinstance(one[0][one[1]], str)]
    if texts:
        place, key = draw(st.sampled_from(texts))
        place[key] = draw(st.one_of(st.sampled_from(NASTY), st.text(max_size=200)))


def _with_a_field_less(draw: st.DrawFn, document: Document) -> None:
    place, key = draw(st.sampled_from(list(_spots(document["spec"]))))
    del place[key]


def _with_a_field_more(draw: st.DrawFn, document: Document) -> None:
    places = [one[0] for one in _spots(document["spec"]) if isinstance(one[0], dict)]
    draw(st.sampled_from(places))[draw(st.text(max_size=12))] = draw(anything)


def _with_an_item_twice(draw: st.DrawFn, document: Document) -> None:
    places = [one[0] for one in _spots(document["spec"]) if isinstance(one[0], list)]
    if places:
        place = draw(st.sampled_from(places))
        place.extend(copy.deepcopy(place[:1]) * draw(st.integers(1, 40)))


def _with_other_metadata(draw: st.DrawFn, document: Document) -> None:
    field = draw(st.sampled_from(["name", "labels", "annotations", "finalizers"]))
    names = st.sampled_from(["turnout.dev/agent", "turnout.dev/digest", "x/y", "\u202e"])
    marks = st.dictionaries(names, st.sampled_from(NASTY), max_size=3)
    document["metadata"][field] = draw(anything if field == "name" else marks)


_CHANGES: Final[tuple[Callable[[st.DrawFn, Document], None], ...]] = (
    _with_an_allowed_value,
    _with_an_allowed_value,
    _with_an_allowed_pod,
    _with_an_allowed_pod,
    _with_any_value,
    _with_another_text,
    _with_another_text,
    _with_a_field_less,
    _with_a_field_more,
    _with_an_item_twice,
    _with_other_metadata,
)
