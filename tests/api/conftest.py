"""One service for a test."""

import pytest

from tests.api.http import Service
from tests.world import World


@pytest.fixture
def service(world: World) -> Service:
    return Service.of(world)
