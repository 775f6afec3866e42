"""Images are built for two architectures: whatever of the lock file goes into one has a wheel for both."""

import re
import tomllib

import pytest
from packaging.markers import Marker
from packaging.tags import compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename

from product import ROOT

LOCKED = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
DOCKERFILES = sorted(file for pattern in ("*/Dockerfile", "services/*/Dockerfile") for file in ROOT.glob(pattern))
GLIBC = 36
"""Debian bookworm's is 2.36: wheels for an older one fit."""


def what_is_installed(dockerfile):
    """(package, extra, group) of each `uv sync`; a group is the workspace's."""
    for line in re.findall(r"uv sync (.+)", dockerfile.read_text()):
        words = dict(re.findall(r"--(package|extra|only-group) (\S+)", line))
        yield words.get("package", "inkmesh-workspace"), words.get("extra"), words.get("only-group")


def holds(marker, machine):
    """Whether a marker of the lock file is true in an image."""
    place = {"platform_machine": machine, "platform_system": "Linux", "sys_platform": "linux", "os_name": "posix"}
    python = {"python_version": "3.11", "python_full_version": "3.11.2", "implementation_name": "cpython"}
    return marker is None or Marker(marker).evaluate(place | python | {"platform_python_implementation": "CPython"})


def locked(name, machine):
    """The package; of several versions the one that is resolved for this Python."""
    return next(
        one
        for one in LOCKED
        if one["name"] == name and any(holds(marker, machine) for marker in one.get("resolution-markers", [None]))
    )


def closure(roots, machine):
    """All packages that `roots` need there, by name."""
    found, seen, todo = {}, set(), list(roots)
    while todo:
        name, extra, group = wanted = todo.pop()
        if wanted in seen:
            continue
        seen.add(wanted)
        package = found[name] = locked(name, machine)
        needed = package["dev-dependencies"][group] if group else package.get("dependencies", [])
        needed = needed + (package["optional-dependencies"].get(extra, []) if extra else [])
        for one in needed:
            if holds(one.get("marker"), machine):
                todo += [(one["name"], extra, None) for extra in (None, *one.get("extra", []))]
    return found


def has_wheel(package, machine):
    platforms = [f"manylinux_2_{minor}_{machine}" for minor in range(GLIBC, 4, -1)]
    fitting = {*cpython_tags((3, 11), platforms=platforms), *compatible_tags((3, 11), "cp311", platforms)}
    return any(fitting & parse_wheel_filename(one["url"].rsplit("/", 1)[1])[3] for one in package.get("wheels", []))


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: file.parent.name)
def test_every_package_has_a_wheel(file, machine):
    """So that an image is built without a compiler, on either."""
    packages = closure(what_is_installed(file), machine).values()
    others = [one for one in packages if "registry" in one["source"]]
    assert len(others) > 5
    assert [one["name"] for one in others if not has_wheel(one, machine)] == []


def test_a_missing_wheel_is_found():
    """A package with wheels for other systems and Pythons only does not pass."""
    names = ("a-1-cp311-cp311-manylinux_2_17_x86_64.whl", "a-1-cp312-cp312-manylinux_2_17_aarch64.whl")
    package = {"wheels": [{"url": f"https://example/{name}"} for name in names]}
    assert has_wheel(package, "x86_64")
    assert not has_wheel(package, "aarch64")
    assert not has_wheel({"wheels": [{"url": "https://example/a-1-cp311-cp311-manylinux_2_39_aarch64.whl"}]}, "aarch64")
