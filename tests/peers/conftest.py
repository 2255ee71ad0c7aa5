"""Fixtures for the tests against other FTP servers; never shared by two tests."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from peers import KINDS, Peer, peer

from transfer.client_ini import Security

_ALL = list(itertools.product(KINDS, Security))


@pytest.fixture(params=_ALL, ids=[f"{kind}-{security.value}" for kind, security in _ALL])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Peer]:
    """Each of the other servers, plain and with TLS."""
    yield from _running(*request.param, tmp_path)


@pytest.fixture(params=KINDS)
def plain_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Peer]:
    """Each of the other servers in plain FTP, for what TLS has no part in."""
    yield from _running(request.param, Security.NONE, tmp_path)


def _running(kind: str, security: Security, tmp_path: Path) -> Iterator[Peer]:
    folder = tmp_path / "peer"
    folder.mkdir()
    with peer(kind, folder, security) as running:
        yield running
