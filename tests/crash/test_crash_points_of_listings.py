"""However one request of a story about listings ends, it ends as if nothing had happened."""

from collections.abc import Callable

import pytest

from tests.crash.breaking import LISTINGS, broken
from tests.support.store import Store


@pytest.mark.parametrize("story", LISTINGS)
def test_a_story_that_is_broken_at_one_point_ends_as_if_it_had_not_been(
    story: str, tables: Store, record_property: Callable[[str, object], None]
) -> None:
    assert broken(tables, story, record_property) == ""
