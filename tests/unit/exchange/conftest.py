"""A service in this process: one for a file of tests, with an endpoint that fails and a slow one, and one for a single test."""

import pytest

from serving.endpoints import ENDPOINTS
from tests.lib.exchanged import FAILS, SLOW
from tests.lib.in_process import running


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with running(tmp_path_factory.mktemp("service"), (*ENDPOINTS, FAILS, SLOW)) as found:
        yield found


@pytest.fixture
def alone(tmp_path):
    with running(tmp_path) as found:
        yield found
