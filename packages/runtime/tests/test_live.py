"""Live settings as an operator sees them: edits in force, mistakes refused, both told by log and metrics."""

import asyncio
import json
import time
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from pydantic import Field, model_validator
from structlog.testing import capture_logs

from runtime.folder import Refused, read
from runtime.live import follow_settings
from runtime.settings import LiveSettings, ServerSettings
from runtime.telemetry import Telemetry


class Shop(LiveSettings):
    low: float = Field(default=0.1, ge=0, le=1)
    high: float = Field(default=0.9, ge=0, le=1)
    open: bool = True

    @model_validator(mode="after")
    def _in_order(self):
        if self.low > self.high:
            raise ValueError("low must not be above high")
        return self


class Volume:
    """A folder as kubelet writes it: everything anew in a folder of its own, then one link is swapped."""

    def __init__(self, path: Path, **values: str) -> None:
        self.path = path
        self._number = 0
        self.write(**values)

    def write(self, **values: str | bytes) -> None:
        self._number += 1
        new = self.path / f"..{self._number}"
        new.mkdir(parents=True)
        for key, value in values.items():
            (new / key).write_bytes(value if isinstance(value, bytes) else value.encode())
            if not (self.path / key).is_symlink():
                (self.path / key).symlink_to(f"..data/{key}")
        (self.path / "..data.new").symlink_to(new.name)
        (self.path / "..data.new").replace(self.path / "..data")
        for link in self.path.iterdir():
            if not link.name.startswith(".") and link.name not in values:
                link.unlink()


@pytest.fixture
def telemetry():
    return Telemetry.create("shop", ServerSettings(), {})


def metric(telemetry, name):
    lines = generate_latest(telemetry.registry).decode().splitlines()
    (found,) = [line for line in lines if line.startswith(f"inkmesh_config_{name}")]
    return float(found.split()[-1])


async def until(check):
    deadline = time.monotonic() + 10
    while not check():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


def follow(folder, telemetry, scenario):
    """Run `scenario(live)` while the folder is followed; the log lines."""

    async def run():
        async with follow_settings(str(folder) if folder else "", Shop, telemetry) as live:
            await scenario(live)

    with capture_logs() as logs:
        asyncio.run(run())
    return logs


@pytest.mark.parametrize("folder", ["", "missing"])
def test_without_a_folder_defaults_are_in_force(telemetry, tmp_path, folder):
    """Neither an empty name nor a folder that is not there is an error."""

    async def scenario(live):
        assert live.value == Shop()

    follow(folder and tmp_path / folder, telemetry, scenario)


def test_an_edit_comes_into_force(telemetry, tmp_path):
    """Text becomes the field's type; a key that goes is its default again; the metrics count and date it."""
    volume = Volume(tmp_path, low="0.2\n")

    async def scenario(live):
        assert live.value == Shop(low=0.2)
        started = metric(telemetry, "applied_timestamp_seconds")
        volume.write(low="0.95", high="1", open="false")
        await until(lambda: live.value == Shop(low=0.95, high=1.0, open=False))
        assert metric(telemetry, 'reloads_total{result="applied"') == 1
        assert metric(telemetry, "applied_timestamp_seconds") > started
        volume.write()
        await until(lambda: live.value == Shop())

    logs = follow(tmp_path, telemetry, scenario)
    assert [line["event"] for line in logs] == ["configuration applied"] * 2


@pytest.mark.parametrize(
    ("wrong", "file", "why"),
    [
        ({"low": "SECRET"}, "low", "valid number"),
        ({"low": "7001"}, "low", "less than or equal to 1"),
        ({"low": "nan"}, "low", ""),
        ({"low": ""}, "low", "valid number"),
        ({"high": "0.3", "unknown": "SECRET"}, "unknown", "is not a live setting"),
        ({"low": "0.7", "high": "0.3"}, "", "low must not be above high"),
        ({"low": b"\xff"}, "low", "UTF-8"),
        ({"log_level": "SECRET"}, "log_level", "'debug'"),
        ({"low": "0" * (65 << 10)}, "low", "larger than 64 KiB"),
    ],
)
def test_a_mistake_refuses_the_whole_change(telemetry, tmp_path, wrong, file, why):
    """The last good stays whole, one line names file and reason, never the value, and a gauge says that it is so."""
    volume = Volume(tmp_path, low="0.2")

    async def scenario(live):
        volume.write(**wrong)
        await until(lambda: metric(telemetry, "refused{"))
        assert live.value == Shop(low=0.2)
        assert metric(telemetry, 'reloads_total{result="refused"') == 1
        volume.write(low="0.2")
        await until(lambda: not metric(telemetry, "refused{"))

    logs = follow(tmp_path, telemetry, scenario)
    assert [line["event"] for line in logs] == ["configuration refused", "configuration applied"]
    assert Path(logs[0]["file"]) == tmp_path / file
    assert why in logs[0]["why"]
    assert not {"SECRET", "7001"} & set(json.dumps(logs[0]["why"]).replace('"', " ").split())


def test_a_mistake_at_start_is_told_and_nothing_starts(telemetry, tmp_path):
    """There was no last good: the error names the file's path."""
    Volume(tmp_path, low="2")

    async def scenario(_):
        pytest.fail("started")

    with pytest.raises(Refused, match=rf"^{tmp_path}/low: Input should be less than or equal to 1$"):
        follow(tmp_path, telemetry, scenario)


def test_a_folder_is_read_as_of_one_moment(tmp_path):
    """While it is swapped again and again, no look sees files of two writings."""
    volume = Volume(tmp_path, a="0", b="0")
    for number in range(1, 200):
        found = read(tmp_path)
        assert found["a"] == found["b"]
        volume.write(a=str(number), b=str(number))
    (tmp_path / ".hidden").write_text("")
    (tmp_path / "folder").mkdir()
    assert read(tmp_path) == {"a": b"199", "b": b"199"}
