"""Texts in ConfigMaps: read once after each change, whoever asks how often."""

from typing import Any

import pytest

from tests.support.fake_cluster import Change, FakeCluster
from turnout.adapters.documents import (
    AGENT,
    CONFIG_MAP,
    PROMPT,
    WATCHED_KINDS,
    Document,
    Ref,
    selector,
)
from turnout.api.prompt import Prompt
from turnout.core.reasons import Reason
from turnout.core.world import Unread
from turnout.errors import Transient
from turnout.runtime.store import Refs, Store
from turnout.runtime.texts import Texts

AGENT_REF, PROMPT_REF = Ref(AGENT, "shop", "support"), Ref(PROMPT, "shop", "system")
TEXTS = Ref(CONFIG_MAP, "shop", "texts")


def config_map(**data: str) -> dict[str, Any]:
    metadata = {"name": "texts", "namespace": "shop"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


class Shop:
    """A cluster whose changes a Store hears of, as far as the operator listens."""

    def __init__(self) -> None:
        self.cluster = FakeCluster("shop")
        self.store = Store()
        self.woken: list[Refs] = []
        self.reads: list[Ref] = []
        self.deaf = False
        self.texts = Texts(self.cluster, self.store, self.woken.append)
        self.cluster.subscribers.append(self._hear)
        self.cluster.fault = self._count

    def _hear(self, change: Change, ref: Ref, document: Document) -> None:
        version = document["metadata"]["resourceVersion"]
        if self.deaf:
            return
        if change == "DELETED":
            self.woken.append(self.store.remove(ref, version))
        else:
            self.woken.append(self.store.hear(ref, document, version))

    def _count(self, verb: str, ref: Ref) -> None:
        if verb == "get":
            self.reads.append(ref)

    async def prompt(self, key: str = "system") -> Prompt:
        spec = {
            "role": "System",
            "format": "Plain",
            "configMapKeyRef": {"name": "texts", "key": key},
        }
        manifest = {
            "apiVersion": "turnout.dev/v1alpha1",
            "kind": "Prompt",
            "metadata": {"name": "system", "namespace": "shop"},
            "spec": spec,
        }
        return Prompt.model_validate(await self.cluster.create(manifest))

    async def text(self, prompt: Prompt) -> str | Unread | None:
        found = await self.texts.complete(PROMPT_REF, prompt)
        return found if isinstance(found, Unread) else found.spec.text


async def test_a_text_is_read_once_after_each_change() -> None:
    shop = Shop()
    await shop.cluster.create(config_map(system="One."))
    prompt = await shop.prompt()
    assert [await shop.text(prompt) for _ in range(3)] == ["One."] * 3
    assert shop.reads == [TEXTS]
    shop.cluster.edit(TEXTS, {"data": {"system": "Two."}})
    assert [await shop.text(prompt) for _ in range(3)] == ["Two."] * 3
    assert shop.reads == [TEXTS, TEXTS]


async def test_each_change_wakes_the_prompt() -> None:
    shop = Shop()
    await shop.cluster.create(config_map(system="One."))
    prompt = await shop.prompt()
    await shop.text(prompt)
    shop.woken.clear()
    shop.cluster.edit(TEXTS, {"data": {"system": "Two."}})
    shop.cluster.vanish(TEXTS)
    assert shop.woken == [{PROMPT_REF}, {PROMPT_REF}]


async def test_whoever_reads_first_what_came_wakes_those_who_missed_it() -> None:
    shop = Shop()
    prompt = await shop.prompt()
    missed = await shop.text(prompt)
    assert isinstance(missed, Unread)
    assert missed.reason is Reason.REFERENCE_NOT_FOUND
    shop.deaf = True
    await shop.cluster.create(config_map(system="It came."))
    assert await shop.text(prompt) == "It came."
    assert shop.woken[-1] == {PROMPT_REF}


async def test_a_text_that_was_deleted_is_missed_and_found_again() -> None:
    shop = Shop()
    await shop.cluster.create(config_map(system="One."))
    prompt = await shop.prompt()
    await shop.text(prompt)
    shop.cluster.vanish(TEXTS)
    assert isinstance(await shop.text(prompt), Unread)
    await shop.cluster.create(config_map(system="Again."))
    assert await shop.text(prompt) == "Again."


async def test_another_key_is_read_anew() -> None:
    shop = Shop()
    await shop.cluster.create(config_map(system="One.", other="Other."))
    prompt = await shop.prompt()
    assert await shop.text(prompt) == "One."
    shop.cluster.vanish(PROMPT_REF)
    assert await shop.text(await shop.prompt("other")) == "Other."


async def test_a_text_of_its_own_costs_no_read() -> None:
    shop = Shop()
    spec = {"role": "System", "format": "Plain", "text": "Inline."}
    prompt = Prompt.model_validate({"metadata": {"name": "system"}, "spec": spec})
    assert await shop.text(prompt) == "Inline."
    assert not shop.reads


async def test_an_api_server_that_is_unwell_is_not_an_absent_text() -> None:
    shop = Shop()
    await shop.cluster.create(config_map(system="One."))
    prompt = await shop.prompt()

    def fail(verb: str, ref: Ref) -> None:
        raise Transient("unwell")

    shop.cluster.fault = fail
    with pytest.raises(Transient):
        await shop.text(prompt)


async def test_a_config_map_that_cannot_be_decoded_is_not_an_absent_text() -> None:
    shop = Shop()
    await shop.cluster.create(config_map(system="One."))
    prompt = await shop.prompt()
    shop.cluster.broken.add(TEXTS)
    found = await shop.text(prompt)
    assert isinstance(found, Unread)
    assert found.reason is Reason.RESOLVE_ERROR
    listing = await shop.cluster.list(CONFIG_MAP, None)
    shop.store.replace(CONFIG_MAP, listing.items, listing.version)
    found = await shop.text(prompt)
    assert isinstance(found, Unread)
    assert found.reason is Reason.RESOLVE_ERROR


def test_config_maps_are_the_only_children_that_are_watched_without_a_label() -> None:
    assert [kind for kind in WATCHED_KINDS if not selector(kind) and not kind.group] == [CONFIG_MAP]
