"""What the fuzzing says while it runs, and when it is cut short."""

from __future__ import annotations

from pathlib import Path

from fuzz import run
from fuzz.translation import Translation


def test_ctrl_c_says_what_was_seen(monkeypatch, capsys):
    """The count, the share that means the same, and which kinds these were."""

    def judged(_path, numbers):
        yield numbers[0], Translation(answers={"gateway": {}}), {}, ""
        yield numbers[1], Translation(refusal="no"), None, ""
        yield numbers[2], Translation(crash="oh"), None, "crash: oh"
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "judged", judged)
    seen = run.fuzz(Path("oracle"), 0, 400)
    said = capsys.readouterr()
    assert seen.found == {"the same": 1, "refused": 1, "wrong": 1}
    assert "3 documents from number 0: 1 the same (33%), 1 refused, 1 wrong" in said.out
    assert "crash: oh" in said.out
    assert said.err == "cut short\n"


def test_progress_is_shown_after_each_batch(monkeypatch, capsys):
    """How many of how many, and how many are wrong so far."""

    def judged(_path, numbers):
        for number in numbers:
            yield number, Translation(refusal="no"), None, ""

    monkeypatch.setattr(run, "judged", judged)
    run.fuzz(Path("oracle"), 0, 300)
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("200 of 300 documents in ")
    assert second.startswith("300 of 300 documents in ")
