"""Every story in tests/timelines is told against the decision."""

import pytest

from tests.support.story import Story, Teller, read_stories


@pytest.mark.parametrize("story", list(read_stories()), ids=lambda one: f"{one.file}: {one.name}")
def test_the_story_goes_as_told(story: Story) -> None:
    Teller(story).tell()
