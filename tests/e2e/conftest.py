"""The end-to-end tests use the same clients and server as the conformance tests."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "conformance"))

import clients  # noqa: E402


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = clients.Server(tmp_path_factory.mktemp("data"))
    yield server
    assert server.stop(), f"imgproc local did not stop cleanly:\n{server.tail()}"
