"""One process with its group, its log and its end."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from localmesh.backoff import STABLE_SECONDS, Backoff
from localmesh.environment import machine_variables
from localmesh.errors import LocalmeshError
from localmesh.process import Command, Process, exit_reason, last_line, rotate

WITH_CHILD = "import subprocess, sys; c = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()']); "
WITH_CHILD += "print(c.pid, flush=True); c.wait()"


def command(folder: Path, *words: str) -> Command:
    return Command((sys.executable, "-c", *words), machine_variables(), folder, folder / "logs" / "a.log")


async def printed(log: Path) -> str:
    for _ in range(500):
        await asyncio.sleep(0.01)
        if last_line(log):
            return last_line(log)
    raise AssertionError("nothing was printed within 5 s")


def test_output_goes_to_the_log_and_the_end_is_known(tmp_path):
    """Standard output and errors are appended; `wait` gives the exit code."""

    async def run():
        words = "import sys; print('out', flush=True); print('err', file=sys.stderr); sys.exit(3)"
        for _ in range(2):
            process = await Process.start(command(tmp_path, words))
            assert await process.wait() == 3
        assert (tmp_path / "logs/a.log").read_text() == "out\nerr\n" * 2

    asyncio.run(run())


def test_stop_takes_the_whole_group(tmp_path):
    """SIGTERM first; what a process started in its group does not outlive it."""

    async def run():
        process = await Process.start(command(tmp_path, WITH_CHILD))
        child = psutil.Process(int(await printed(tmp_path / "logs/a.log")))
        assert os.getpgid(child.pid) == process.pid
        await process.stop(5)
        assert await process.wait() == -signal.SIGTERM
        assert psutil.wait_procs([child], timeout=5)[1] == []

    asyncio.run(run())


def test_who_ignores_sigterm_is_killed_after_the_grace(tmp_path):
    """SIGKILL comes when the manifest's grace is over."""

    async def run():
        words = "import signal; signal.signal(15, signal.SIG_IGN); print('x', flush=True); signal.pause()"
        process = await Process.start(command(tmp_path, words))
        await printed(tmp_path / "logs/a.log")
        await process.stop(0.1)
        assert await process.wait() == -signal.SIGKILL

    asyncio.run(run())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux's own guarantee")
def test_a_process_dies_with_us(tmp_path):
    """However we end: here by SIGKILL."""
    text = f"""
import asyncio, os, signal
from pathlib import Path
from test_process import Process, command
async def run():
    process = await Process.start(command(Path({str(tmp_path)!r}), "import signal; signal.pause()"))
    print(process.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(run())
"""

    async def run():
        parent = await asyncio.create_subprocess_exec(
            sys.executable, "-c", text, cwd=Path(__file__).parent, stdout=asyncio.subprocess.PIPE
        )
        child = psutil.Process(int(await parent.stdout.readline()))
        parent.kill()
        await parent.wait()
        assert psutil.wait_procs([child], timeout=5)[1] == []

    asyncio.run(run())


def test_a_program_that_is_not_there_is_named(tmp_path):
    """It is looked for on the PATH that the process would have."""

    async def run():
        with pytest.raises(LocalmeshError, match="there is no program `nothing-of-the-kind`"):
            await Process.start(Command(("nothing-of-the-kind",), machine_variables(), tmp_path, tmp_path / "a.log"))

    asyncio.run(run())


def test_a_log_is_cut_when_it_is_too_long(tmp_path):
    """The old part is kept once beside it; a short log is left alone."""
    log = tmp_path / "a.log"
    log.write_text("short\n")
    rotate(log)
    assert log.read_text() == "short\n"
    with log.open("ab") as file:
        file.truncate(9 * 1024 * 1024)
        rotate(log)
        file.write(b"after\n")
    assert log.read_text() == "after\n"
    assert (tmp_path / "a.log.1").stat().st_size == 9 * 1024 * 1024
    assert last_line(log) == "after"


def test_ends_are_told_in_words():
    """A code, a signal by its name."""
    assert exit_reason(1) == "ended with code 1"
    assert exit_reason(-9) == "was killed by SIGKILL"


def test_backoff_grows_and_is_forgotten():
    """At once first, 30 s at most; who was ready for a while begins anew."""
    backoff = Backoff()
    delays = [backoff.next(0) for _ in range(12)]
    assert delays[0] == 0
    assert delays == sorted(delays)
    assert delays[-1] == 30
    assert sum(delays[:5]) < 5
    assert backoff.next(STABLE_SECONDS) == 0
    assert backoff.next(0) > 0
