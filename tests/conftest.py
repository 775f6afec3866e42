"""The laptop tier, started once for all tests that go through the ingress."""

import pytest

from product import Product, running


@pytest.fixture(scope="session")
def product(tmp_path_factory) -> Product:
    with running(tmp_path_factory.mktemp("inkmesh")) as found:
        yield found
