"""The tools of versions to go back to are read where tools drifted, each version once."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from tests.core.test_standby import degraded
from tests.support.drifting import registry
from tests.support.fake_cluster import FakeCluster
from tests.support.manifests import everything
from tests.support.simulation import Simulation
from turnout.adapters.documents import CONFIG_MAP, Ref
from turnout.core.world import World
from turnout.errors import Transient
from turnout.runtime import contents
from turnout.runtime.contents import Contents


class Seen:
    """A world with two versions, and the cluster that holds their contents."""

    def __init__(self) -> None:
        steps: list[dict[str, Any]] = [{"setWeight": 25}]
        spec = {"toolRegistryRef": {"name": "tools"}, "strategy": {"steps": steps}}
        self.sim = Simulation([registry(), *everything(**spec)])
        self.sim.settle()
        self.sim.run(10)
        self.sim.store(registry("Find it."))
        self.sim.settle()
        self.sim.run(120)
        self.names = [*self.sim.version_names]
        self.reads: Counter[str] = Counter()
        self.cluster = FakeCluster("demo")
        self.cluster.fault = self._note

    def _note(self, verb: str, ref: Ref) -> None:
        if verb == "get":
            self.reads[ref.name] += 1

    async def keep(self, *names: str) -> None:
        """Let the cluster hold the contents of these versions."""
        for name in names:
            document = self.sim.get("ConfigMap", name)
            metadata = {"name": name, "namespace": "demo"}
            await self.cluster.create(
                {**document, "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
            )

    def world(self, live: str = "Find an order.") -> World:
        self.sim.store(registry("Find it.", live))
        return replace(self.sim.world(), tools={})


@pytest.fixture
def seen() -> Seen:
    return Seen()


async def test_nothing_is_read_while_the_servers_tell_what_is_pinned(seen: Seen) -> None:
    world = seen.world(live="Find it.")
    assert await Contents(seen.cluster).add_tools(world) is world
    assert not seen.reads


async def test_each_version_is_read_once(seen: Seen) -> None:
    await seen.keep(*seen.names)
    reader, world = Contents(seen.cluster), seen.world()
    first, second = await reader.add_tools(world), await reader.add_tools(world)
    assert first.tools == second.tools == seen.sim.world().tools
    assert set(first.tools) == set(seen.names)
    assert seen.reads == Counter(seen.names)


async def test_what_was_not_used_for_longest_is_read_again(
    seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "_MOST_KNOWN", 1)
    await seen.keep(*seen.names)
    reader, world = Contents(seen.cluster), seen.world()
    assert (await reader.add_tools(world)).tools == (await reader.add_tools(world)).tools
    assert set(seen.reads.values()) == {2}


async def test_a_version_whose_content_cannot_be_read_has_no_tools_and_is_asked_for_again(
    seen: Seen,
) -> None:
    first, second = seen.names
    await seen.keep(second)
    seen.cluster.broken.add(Ref(CONFIG_MAP, "demo", second))
    reader, world = Contents(seen.cluster), seen.world()
    assert (await reader.add_tools(world)).tools == {}
    await seen.keep(first)
    seen.cluster.broken.clear()
    assert set((await reader.add_tools(world)).tools) == {first, second}


async def test_trouble_with_the_api_server_is_no_answer(seen: Seen) -> None:
    def fail(_verb: str, _ref: Ref) -> None:
        raise Transient("unwell")

    seen.cluster.fault = fail
    with pytest.raises(Transient):
        await Contents(seen.cluster).add_tools(seen.world())


async def test_models_are_read_where_a_version_may_stand_in_each_once(seen: Seen) -> None:
    world = degraded()
    assert await Contents(seen.cluster).add_models(seen.sim.world()) == seen.sim.world()
    reader = Contents(seen.cluster)
    assert (await reader.add_models(replace(world, models={}))).models == {}
    for name in world.versions:
        document = {**world.children["ConfigMap", name].document}
        metadata = {"name": name, "namespace": "demo"}
        await seen.cluster.create(
            {**document, "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
        )
    seen.reads.clear()
    for _ in range(2):
        found = await reader.add_models(replace(world, models={}))
        assert found.models == dict.fromkeys(world.versions)
    assert seen.reads == Counter(list(world.versions))


async def test_the_model_of_damaged_content_is_not_known(
    seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "_MOST_KNOWN", 1)
    world = degraded()
    damaged, whole = world.versions
    for name, data in ((damaged, {}), (whole, None)):
        document = {**world.children["ConfigMap", name].document}
        held = document | {"metadata": {"name": name, "namespace": "demo"}}
        held |= {"apiVersion": "v1", "kind": "ConfigMap"}
        await seen.cluster.create(held if data is None else held | {"data": data})
    found = await Contents(seen.cluster).add_models(replace(world, models={}))
    assert set(found.models) == {whole}
