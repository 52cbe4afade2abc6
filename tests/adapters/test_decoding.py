import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnout.adapters.decoding import MAX_DEPTH, decode, decode_list, name_of, skim
from turnout.adapters.documents import AGENT, Ref
from turnout.errors import Invalid, Transient

POISON_DEPTHS = [MAX_DEPTH, 497, 1_600, 9_990]


def nested(depth: int) -> str:
    return '{"a":' * depth + "1" + "}" * depth


def poison(name: str, depth: int) -> str:
    identity = f'"name": "{name}", "namespace": "shop", "resourceVersion": "7"'
    deep = nested(depth)
    return f'{{"spec": {deep}, "metadata": {{"managedFields": [{deep}], {identity}}}}}'


def agent(name: str, **content: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "shop", "resourceVersion": "5"}, **content}


def listing(*items: str) -> bytes:
    return f'{{"metadata": {{"resourceVersion": "9"}}, "items": [{", ".join(items)}]}}'.encode()


@pytest.mark.parametrize("depth", POISON_DEPTHS)
def test_a_poison_item_is_invalid_for_its_name_and_spares_the_others(depth: int) -> None:
    tricky = agent("well", spec={"text": 'comma, "quote\\", brace }], \u202e'})
    raw = listing(poison("bad", depth), json.dumps(tricky), json.dumps(agent("other")))
    items, metadata = decode_list(raw, AGENT)
    assert items[Ref(AGENT, "shop", "well")] == tricky
    assert items[Ref(AGENT, "shop", "other")] == agent("other")
    assert isinstance(items[Ref(AGENT, "shop", "bad")], Invalid)
    assert metadata == {"resourceVersion": "9"}


@pytest.mark.parametrize("depth", POISON_DEPTHS)
def test_a_poison_document_is_invalid_and_still_has_a_name(depth: int) -> None:
    raw = poison("bad", depth).encode()
    with pytest.raises(Invalid):
        decode(raw)
    assert name_of(raw, AGENT) == (Ref(AGENT, "shop", "bad"), "7")


def test_documents_below_the_limit_are_taken() -> None:
    raw = nested(MAX_DEPTH - 1).encode()
    assert json.dumps(decode(raw), separators=(",", ":")) == raw.decode()


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"3", b'{"a": 1}}', b"\xff", b"<html>"])
def test_what_is_no_object_is_invalid(raw: bytes) -> None:
    with pytest.raises(Invalid):
        decode(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html>",
        b"{}",
        b"[]",
        b'{"items": 3, "metadata": {}}',
        b'{"metadata": {"resourceVersion": "9"}, "items": [{"metadata": {"name": "a"}}',
        b'{"metadata": {}, "items": [{"spec": {}}]}',
    ],
)
def test_what_is_no_whole_list_is_asked_for_again(raw: bytes) -> None:
    with pytest.raises(Transient):
        decode_list(raw, AGENT)


def test_an_empty_list_may_say_null() -> None:
    assert decode_list(b'{"metadata": {"resourceVersion": "1"}, "items": null}', AGENT)[0] == {}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(contents=st.lists(JSON, max_size=5), ascii_only=st.booleans())
def test_cutting_a_list_into_items_gives_what_decoding_it_whole_gives(
    *, contents: list[Any], ascii_only: bool
) -> None:
    agents = [agent(f"a{number}", spec=content) for number, content in enumerate(contents)]
    texts = [json.dumps(each, ensure_ascii=ascii_only) for each in agents]
    whole, _ = decode_list(listing(*texts), AGENT)
    in_parts, _ = decode_list(listing(*texts, poison("bad", 2_000)), AGENT)
    assert dict(whole) == {ref: item for ref, item in in_parts.items() if ref.name != "bad"}


@given(st.binary(max_size=200))
def test_no_bytes_ever_raise_anything_else(raw: bytes) -> None:
    with pytest.raises((Invalid, Transient)):
        decode_list(raw, AGENT)
    with pytest.raises(Invalid):
        name_of(raw, AGENT)


@given(text=st.text(max_size=40), more=st.sampled_from(["", "eyJ2IjoibWV0YS5rOHMu"]))
def test_what_people_wrote_is_never_taken_for_a_mark(text: str, more: str) -> None:
    notes = {"continue": '"continue":"x"', "n": f'"uid":"a","resourceVersion":"2"{text}'}
    objects = [
        {
            "metadata": {
                "name": name,
                "uid": f"u-{name}",
                "resourceVersion": "7",
                "annotations": notes,
            }
        }
        for name in ("a", "b")
    ]
    listed = {
        "kind": "PartialObjectMetadataList",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": "9"} | ({"continue": more} if more else {}),
        "items": objects,
    }
    raw = json.dumps(listed, separators=(",", ":")).encode()
    assert skim(raw) == (frozenset({("u-a", "7"), ("u-b", "7")}), more)
    assert skim(json.dumps(listed).encode()) == (frozenset(), "")
