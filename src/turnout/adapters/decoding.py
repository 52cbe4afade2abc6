"""JSON from the API server, item by item: one that cannot be taken never spoils the others.

The server stores documents nested up to 10,000 deep, and the decoder gives up on a list that holds
one such item. So a list that does not decode whole is cut into its items by a scan that needs no
recursion, and each is decoded alone.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from pydantic_core import from_json

from turnout.adapters.documents import Document, Kind, Ref
from turnout.adapters.ports import Mark
from turnout.errors import Invalid, Transient

MAX_DEPTH: Final = 201
"""So deep goes the decoder. No kind that Turnout reads is nested half as deep, and every later step
may recurse safely."""

_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[][{},]', re.DOTALL)
_MEMBER = re.compile(rb'\s*("[^"\\]*(?:\\.[^"\\]*)*")\s*:(.*)', re.DOTALL)
_MARK = re.compile(rb'"uid":"([^"]+)","resourceVersion":"([^"]+)"')
_MORE = re.compile(rb'\{"kind":"\w+","apiVersion":"[^"]+","metadata":\{[^}]*"continue":"([^"]+)"')
_CLOSED = 0


def decode(raw: bytes) -> Document:
    """Decode one document.

    Raises:
        Invalid: It is no JSON object, or nested too deep.
    """
    try:
        document = from_json(raw)
    except ValueError as error:
        why = f"the object is malformed, or nested more than {MAX_DEPTH} levels deep"
        raise Invalid("Undecodable", why) from error
    if not isinstance(document, dict):
        raise Invalid("Undecodable", "the answer is no object")
    return document


def decode_list(raw: bytes, kind: Kind) -> tuple[Mapping[Ref, Document | Invalid], Document]:
    """Decode a list: each item, or why it cannot be taken, and the list's own metadata.

    Raises:
        Transient: What arrived is not a whole list.
    """
    try:
        answer = from_json(raw)
        return dict(_whole(answer["items"] or [], kind)), answer["metadata"]
    except ValueError:
        return _in_parts(raw, kind)
    except (AttributeError, KeyError, TypeError) as error:
        raise Transient(f"the list of {kind.resource} has no items") from error


def skim(raw: bytes) -> tuple[frozenset[Mark], str]:
    """Find the marks of a list's objects in the text of their metadata, and where to go on.

    Twenty times faster than decoding. A quote inside a JSON string is escaped, so nothing that a
    person wrote looks like a mark; and where a server lays its answers out in another way nothing
    is found, which is never taken for a list of what is known.
    """
    more = _MORE.match(raw)
    marks = frozenset((uid.decode(), version.decode()) for uid, version in _MARK.findall(raw))
    return marks, more[1].decode() if more else ""


def name_of(raw: bytes, kind: Kind) -> tuple[Ref, str]:
    """Find the name and resourceVersion of an object that cannot be decoded.

    Raises:
        Invalid: Not even those can be found.
    """
    try:
        metadata = dict(_members(dict(_members(raw))["metadata"]))
        keys = ("name", "namespace", "resourceVersion")
        name, namespace, version = (str(json.loads(metadata.get(key, b'""'))) for key in keys)
    except (KeyError, ValueError, RecursionError, Transient) as error:
        raise Invalid("Undecodable", f"an object of {kind.resource} has no name") from error
    return Ref(kind, namespace, name), version


def _whole(items: list[Document], kind: Kind) -> Iterator[tuple[Ref, Document]]:
    for item in items:
        metadata = item["metadata"]
        yield Ref(kind, metadata.get("namespace") or "", metadata["name"]), item


def _in_parts(raw: bytes, kind: Kind) -> tuple[Mapping[Ref, Document | Invalid], Document]:
    members = dict(_members(raw))
    found: dict[Ref, Document | Invalid] = {}
    try:
        for part in _parts(members["items"]):
            ref, _ = name_of(part, kind)
            try:
                found[ref] = decode(part)
            except Invalid as invalid:
                found[ref] = Invalid(invalid.reason, f"{ref}: {invalid.message}")
        return found, decode(members["metadata"])
    except (KeyError, Invalid) as error:
        raise Transient(f"the list of {kind.resource} cannot be read") from error


def _members(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """Cut an object into its members; the values stay undecoded."""
    for part in _parts(raw):
        match = _MEMBER.fullmatch(part)
        if not match:
            raise Transient("an object's member has no name")
        yield json.loads(match[1]), match[2]


def _parts(raw: bytes) -> Iterator[bytes]:
    """Cut an object or list at its own commas."""
    depth = start = 0
    for token in _TOKEN.finditer(raw):
        match token[0]:
            case b"{" | b"[":
                depth += 1
                start = token.end() if depth == 1 else start
            case b"}" | b"]":
                depth -= 1
                if depth == _CLOSED:
                    if part := raw[start : token.start()].strip():
                        yield part
                    return
            case b"," if depth == 1:
                yield raw[start : token.start()]
                start = token.end()
    raise Transient("the answer ends in the middle")
