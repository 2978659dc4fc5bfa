"""Fixtures of the end-to-end tests; see tests/support/harness.py."""
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
sys.dont_write_bytecode = True

import harness  # noqa: E402 pylint: disable=wrong-import-position
import mta  # noqa: E402 pylint: disable=wrong-import-position


def pytest_configure(config):
    """Without the programs there is nothing to test: say so once."""
    if not os.access(harness.program("mxdropctl"), os.X_OK):
        pytest.exit(f"{harness.program('mxdropctl')} is missing: build first, or set "
                    "MX_BUILD_DIR", returncode=2)
    config.addinivalue_line("markers", "postfix: needs root and Postfix")


@pytest.fixture
def cluster_of():
    """cluster_of(policyds=, scanners=, edit=): a cluster that ends with the test."""
    started = []

    def start(**options):
        started.append(harness.Cluster(**options))
        return started[-1]
    yield start
    for cluster in started:
        cluster.close()


def with_postfix(cluster):
    """(port, sink) of a Postfix in front of a cluster, or skip with the reason."""
    try:
        return cluster.postfix()
    except mta.Unavailable as why:
        pytest.skip(f"no Postfix in this test: {why}")


@pytest.fixture(scope="module")
def mail(request):
    """A cluster behind Postfix that the tests of a module share.

    The module may set POLICYDS, SCANNERS and EDIT. Greylisting asks for one second.
    """
    module = request.module
    cluster = harness.Cluster(policyds=getattr(module, "POLICYDS", 1),
                              scanners=getattr(module, "SCANNERS", 2),
                              edit=getattr(module, "EDIT", None))
    try:
        cluster.port, cluster.sink = with_postfix(cluster)
        yield cluster
    finally:
        cluster.close()
