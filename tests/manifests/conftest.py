"""What all tests of manifests look at, rendered once."""

import os
import shlex
import shutil

import pytest

from rendered import everything


@pytest.fixture(scope="session")
def rendered(tmp_path_factory):
    """Documents by overlay, `all components` among them."""
    return everything(tmp_path_factory.mktemp("all-components"))


@pytest.fixture(scope="session")
def kubectl():
    command = shlex.split(os.environ.get("KUBECTL", "kubectl"))
    if shutil.which(command[0]) is None:
        pytest.skip(f"there is no {command[0]} to compare with")
    return command
