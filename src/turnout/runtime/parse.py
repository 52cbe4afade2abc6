"""From stored documents to the core's types; what does not parse is said, never raised."""

from typing import TypeVar

from pydantic import ValidationError

from turnout.adapters.documents import Document
from turnout.adapters.pods import pod
from turnout.api.base import Resource
from turnout.core.world import Child, Unread
from turnout.errors import Invalid

Known = TypeVar("Known", bound=Resource)


def parse(kind: type[Known], document: Document | Invalid) -> Known | Unread:
    """Read one of our kinds."""
    if isinstance(document, Invalid):
        return Unread(document.message)
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        return Unread(f"{where}: {first['msg']}")


def child(document: Document) -> Child:
    """Read a child with what a fenced write of it needs."""
    metadata = document["metadata"]
    return Child(metadata["uid"], metadata["resourceVersion"], document)


__all__ = ["child", "parse", "pod"]
