"""What is right: istiod's answer, or an error that names file, resource and field; and nothing else."""

from __future__ import annotations

from fuzz.translation import Answers, Translation, difference


def fault(ours: Translation, theirs: Answers | str | None) -> str:
    """What is wrong, empty where nothing is. `theirs`: istiod's answers, why it refuses, or None: it was not asked."""
    if ours.crash:
        return f"crash: {ours.crash}"
    if ours.refusal:
        return ""
    if theirs is None:
        return "translated, and istiod was not asked: run `make fuzz-refresh`"
    if isinstance(theirs, str):
        return f"translated, where istiod refuses: {theirs}"
    return "\n".join(difference(ours.answers, theirs))
