"""What gates saw of the series of MetricTemplates: learned by their looks, asked for by nobody."""

from collections.abc import Callable, Container, Mapping

from turnout.adapters.documents import Ref
from turnout.core.measures import Sight
from turnout.runtime.store import Refs


class Sightings:
    """Remembers what the newest look of each Agent's gate found; all of it may be lost."""

    def __init__(self, wake: Callable[[Refs], None]) -> None:
        self._wake = wake
        self._seen: dict[Ref, dict[str, Sight]] = {}

    def note(self, template: Ref, agent: str, sight: Sight) -> None:
        """Hear what a look found; the template's status is looked at where that is news."""
        seen = self._seen.setdefault(template, {})
        if seen.get(agent) != sight:
            seen[agent] = sight
            self._wake(frozenset((template,)))

    def of(self, template: Ref, users: Container[str]) -> Mapping[str, Sight]:
        """Tell what was found for the Agents that still use a template, and forget the others."""
        seen = self._seen.get(template, {})
        kept = {agent: sight for agent, sight in seen.items() if agent in users}
        self._seen[template] = kept
        return kept

    def forget(self, template: Ref) -> None:
        """Drop what is kept of a template that is gone."""
        self._seen.pop(template, None)
