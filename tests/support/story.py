"""Stories: timelines in YAML that say what happens to an agent and what people then see.

```yaml
- story: A worse prompt takes itself back
  given: {steps: [{setWeight: 25}]}        # changes to the usual agent; v1 is stable already
  timeline:
  - do: {prompt: worse, quality: {v2: 60%}}  # versions are v1, v2, ... in the order they appear
    within: 2m                               # time passes until all this is seen, at most so long
    expect: {phase: RolledBack, weights: {v1: 100}}
```

A moment of the timeline does its deeds, lets time pass (`after`, `within`, or `throughout`, during
which the expectation must hold all the time) and then looks.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.claims_of_stories import READERS
from tests.support.deeds import DEEDS
from tests.support.drifting import registry
from tests.support.manifests import GATE, everything, strategy
from tests.support.simulation import INSTANT, Simulation
from turnout.api.base import seconds

FOLDER = Path(__file__).parent.parent / "timelines"
GIVEN = {"steps", "strategy", "gate", "agent", "first version", "objects", "tools"}
MOMENT = {"do", "after", "within", "throughout", "expect"}


@dataclass(frozen=True)
class Story:
    """One timeline."""

    name: str
    file: str
    given: Mapping[str, Any]
    timeline: list[dict[str, Any]]


def read_stories() -> Iterator[Story]:
    """Read every story of the folder."""
    for path in sorted(FOLDER.glob("*.yaml")):
        for one in yaml.safe_load(path.read_text()):
            unknown = set(one) - {"story", "scenarios", "given", "timeline"}
            assert not unknown, f"{path.name}: {unknown}"
            yield Story(one["story"], path.stem, one.get("given") or {}, one["timeline"])


class Teller:
    """Tells one story against a simulation."""

    def __init__(self, story: Story) -> None:
        unknown = set(story.given) - GIVEN
        assert not unknown, f"given: {unknown}"
        self.sim = Simulation(_documents(story.given))
        self._story = story
        if not story.given.get("first version"):
            self.sim.settle()
            self.sim.run(30)
            self.sim.events.clear()

    def tell(self) -> None:
        """Tell it from beginning to end.

        Raises:
            AssertionError: Something was not seen that the story says.
        """
        for number, moment in enumerate(self._story.timeline, start=1):
            unknown = set(moment) - MOMENT
            assert not unknown, f"moment {number}: {unknown}"
            for deed, value in (moment.get("do") or {}).items():
                DEEDS[deed](self.sim, self.named, value)
            self.sim.kubelet()
            self.sim.settle()
            missed = self._pass_time(moment)
            assert not missed, f"moment {number} at {self.sim.now:%H:%M:%S}: {'; '.join(missed)}"

    def named(self, alias: str) -> str:
        """Give the name behind an alias: v1 is the first version that ever was."""
        if alias[:1] != "v" or not alias[1:].isdigit():
            return alias
        names = list(self.sim.version_names)
        return names[int(alias[1:]) - 1] if int(alias[1:]) <= len(names) else alias

    def _pass_time(self, moment: dict[str, Any]) -> list[str]:
        expected = moment.get("expect") or {}
        if "after" in moment:
            self.sim.run(seconds(moment["after"]))
        throughout = "throughout" in moment
        left = seconds(moment.get("throughout") or moment.get("within", "0s"))
        missed = self._missed(expected)
        while bool(missed) is not throughout and left > INSTANT:
            left -= self.sim.step(left)
            missed = self._missed(expected)
        return missed

    def _missed(self, expected: dict[str, Any]) -> list[str]:
        found = {
            word: READERS[word](self.sim, self.named, value) for word, value in expected.items()
        }
        return [
            f"{word} is {found[word]!r}, not {value!r}"
            for word, value in expected.items()
            if found[word] != value
        ]


def _documents(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    way = strategy(given.get("steps")) | (given.get("strategy") or {})
    gate = GATE | (given.get("gate") or {})
    spec = {"strategy": way, "gate": gate} | (given.get("agent") or {})
    objects = [*(given.get("objects") or [])]
    if "tools" in given:
        spec |= {"toolRegistryRef": {"name": "tools"}}
        objects.append(registry(**given["tools"]))
    return [*objects, *everything(**spec)]
