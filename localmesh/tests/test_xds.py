"""The folder that Envoy reads: whole files, only what changed, targets before references."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from localmesh.fetch import Unanswered
from localmesh.translate import Resources
from localmesh.xds import XdsDirectory


def cluster(name, loads=None):
    return {
        "name": name,
        "type": "EDS",
        "eds_cluster_config": {"service_name": loads or name, "eds_config": {"ads": {}}},
    }


def listener(name):
    connections = {"rds": {"route_config_name": name, "config_source": {"ads": {}}}}
    return {"name": name, "filter_chains": [{"filters": [{"name": "http", "typed_config": connections}]}]}


def resources(*names, weight=1):
    return Resources(
        clusters=tuple(cluster(name) for name in names),
        endpoints=tuple({"cluster_name": name} for name in names),
        listeners=tuple(listener(name) for name in names),
        routes=tuple({"name": name, "virtual_hosts": [], "weight": weight} for name in names),
    )


@pytest.fixture
def directory(tmp_path):
    return XdsDirectory(tmp_path / "xds")


@pytest.fixture
def renames(monkeypatch):
    """The names of files in the order in which they were put in place."""
    found = []
    replace = os.replace

    def watched(source, target, **more):
        found.append(Path(target).name)
        replace(source, target, **more)

    monkeypatch.setattr(os, "replace", watched)
    monkeypatch.setattr("pathlib.os.replace", watched)
    return found


class SlowEnvoy:
    """Takes what the folder says a look later; `meanwhile` happens at the first look."""

    def __init__(self, directory, meanwhile=None, silent=0):
        self._directory, self._meanwhile, self._taken, self._silent = directory, meanwhile, {}, silent

    async def texts(self, _pattern):
        self._speak()
        taken = self._taken
        if self._meanwhile:
            self._meanwhile()
            self._meanwhile = None
        self._taken = {path: version for path, (_, version) in versions(self._directory).items()}
        return taken

    async def counted(self, _pattern):
        self._speak()
        return {}

    def _speak(self):
        self._silent -= 1
        if self._silent >= 0:
            raise Unanswered


class DeafEnvoy(SlowEnvoy):
    """Is not told of the first files that are put in place, however often it is asked."""

    def __init__(self, directory, misses):
        super().__init__(directory)
        self._misses, self._seen = misses, {}

    async def texts(self, _pattern):
        for path, (inode, version) in versions(self._directory).items():
            if self._seen.get(path) != inode:
                self._seen[path] = inode
                self._misses -= 1
                if self._misses < 0:
                    self._taken[path] = version
        return self._taken


def versions(directory):
    """Each file → what tells one rename from the next, and its version."""
    found = directory.path.rglob("*.json")
    return {str(path): (path.stat().st_ino, json.loads(path.read_text())["version_info"]) for path in found}


def read(directory, name):
    return json.loads((directory.path / name).read_text())


def test_one_file_a_route_table_and_an_assignment(directory):
    """Clusters and listeners have one file each, the others a file a resource, which the references name."""
    directory.write(resources("a|b", "c"))
    files = sorted(str(path.relative_to(directory.path)) for path in directory.path.rglob("*.json"))
    assert files == [
        "clusters.json",
        "endpoints/a_b.json",
        "endpoints/c.json",
        "listeners.json",
        "routes/a_b.json",
        "routes/c.json",
    ]
    eds = read(directory, "clusters.json")["resources"][0]["eds_cluster_config"]["eds_config"]
    assert eds["path_config_source"]["path"] == str(directory.path / "endpoints/a_b.json")
    first = read(directory, "listeners.json")["resources"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    assert first["rds"]["config_source"]["path_config_source"]["path"] == str(directory.path / "routes/a_b.json")
    assert len(read(directory, "endpoints/c.json")["resources"]) == 1


def test_files_are_renamed_into_place_targets_first(directory, renames):
    """Assignments, clusters, new routes, listeners: nothing refers to a file that is not there."""
    directory.write(resources("a"))
    assert renames == ["a.json", "clusters.json", "a.json", "listeners.json"]
    assert not list(directory.path.rglob("*.tmp"))


def test_only_what_changed_is_written(directory, renames):
    """The same again touches no file; another weight touches the routes and no more."""
    first = directory.write(resources("a", "b"))
    assert len(first.changed) == 6
    renames.clear()
    assert directory.write(resources("a", "b")).changed == frozenset()
    second = directory.write(resources("a", "b", weight=2))
    assert second.changed == {"routes/a.json", "routes/b.json"}
    assert renames == ["a.json", "b.json"]
    assert second.all["clusters.json"] == first.all["clusters.json"]
    assert second.all["routes/a.json"] != first.all["routes/a.json"]


def test_what_is_gone_is_removed(directory):
    """Files of resources that are no more are deleted after the files that referred to them changed."""
    directory.write(resources("a", "b"))
    changed = directory.write(resources("a")).changed
    assert changed == {"clusters.json", "listeners.json", "endpoints/b.json", "routes/b.json"}
    assert not (directory.path / "routes/b.json").exists()


def test_an_envoy_that_does_not_answer_for_a_while_has_refused_nothing(directory):
    """Too busy, or about to be back: the change waits for its word."""
    envoy = SlowEnvoy(directory, silent=3)
    asyncio.run(directory.apply(resources("a"), envoy))
    assert read(directory, "routes/a.json")["resources"]


def test_an_update_that_was_lost_is_repaired(directory):
    """The system drops what happens to files while its queue for Envoy is full: they are put in place once more."""
    asyncio.run(directory.apply(resources("a"), DeafEnvoy(directory, misses=4)))


def test_an_envoy_that_never_takes_it_is_an_error_and_nothing_changes(directory):
    """What was in the folder before is there again."""
    directory.write(resources("a"))
    before = read(directory, "routes/a.json")
    with pytest.raises(TimeoutError, match="did not take"):
        asyncio.run(directory.apply(resources("a", weight=2), DeafEnvoy(directory, misses=10**9), within=0.5))
    assert read(directory, "routes/a.json") == before


def test_a_version_is_of_its_content(directory, tmp_path):
    """Equal resources have equal versions, in any process."""
    versions = directory.write(resources("a")).all
    again = XdsDirectory(tmp_path / "xds").write(resources("a")).all
    assert versions == again
    assert read(directory, "clusters.json")["version_info"] == versions["clusters.json"]


def test_two_resources_never_share_a_file(directory):
    """Names that would become one file's name are an error, not a resource that disappears."""
    with pytest.raises(ValueError, match="a_b"):
        directory.write(resources("a|b", "a:b"))


def test_a_replica_may_come_while_it_is_waited_for(directory):
    """What is in force is then what was written last."""
    directory.write(resources("a"))
    later = resources("a", weight=2)
    envoy = SlowEnvoy(directory, lambda: directory.write(later))
    asyncio.run(directory.in_force(envoy, within=30))
