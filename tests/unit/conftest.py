"""Stores for tests in one process: each in SQLite and in a real PostgreSQL, one server for a file of tests."""

import pytest

from tests.lib.stores import KINDS, fresh_url, opened, server


@pytest.fixture(scope="module", params=KINDS)
def server_url(request):
    with server(request.param) as url:
        yield url


@pytest.fixture
def url(server_url, tmp_path):
    """The URL of an empty store."""
    return fresh_url(server_url, tmp_path)


@pytest.fixture
def store(url):
    with opened(url) as found:
        yield found
