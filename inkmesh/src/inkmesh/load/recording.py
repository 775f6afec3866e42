"""One run as it was recorded: what the load generator saw and what the copy said of itself, second by second.

A run is a folder: `run.json` (this), `report.html`, `report.png`, `locust.log`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from localmesh.errors import LocalmeshError

FILE = "run.json"
FORMAT = 1


@dataclass
class Recording:
    """`seconds` are the load generator's lines (loadtest/journal.py), `samples` the copy's (sampling.py)."""

    plan: dict[str, Any]
    """The settings: shape, arrivals, peak, seconds, rest."""
    began: float
    """Unix seconds; every `t` is Unix seconds too."""
    seconds: list[dict[str, Any]] = field(default_factory=list)
    samples: list[dict[str, Any]] = field(default_factory=list)
    books: dict[str, int] = field(default_factory=dict)
    """Visitors by what they found when they compared their own books with their account: right, wrong, unknown."""
    audit: dict[str, Any] = field(default_factory=dict)
    """`code` and `said` of `payment audit`; empty when it was not asked."""
    format: int = FORMAT

    @property
    def name(self) -> str:
        """The shape and how much, for titles."""
        unit = "arrivals/s" if self.plan["arrivals"] == "open" else "users"
        return f"{self.plan['shape']}, up to {self.plan['peak']} {unit}"

    def save(self, folder: Path) -> Path:
        """Write it into `folder`."""
        file = folder / FILE
        file.write_text(json.dumps(asdict(self)), encoding="utf-8")
        return file


def read(path: Path) -> Recording:
    """The run in a folder, or in its file. Raises LocalmeshError."""
    file = path / FILE if path.is_dir() else path
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        if found.get("format") != FORMAT:
            raise LocalmeshError(f"{file} was recorded by another version", "Record it again.")
        return Recording(**found)
    except OSError as error:
        raise LocalmeshError(
            f"{file}: {error.strerror}", "Name a run's folder, as `inkmesh load` printed it."
        ) from None
    except (ValueError, TypeError, AttributeError):
        raise LocalmeshError(f"{file} is not a recorded run", "Name a folder that `inkmesh load` wrote.") from None
