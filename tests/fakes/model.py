"""inference, in memory: reads the darkest pixel's column as the digit, or fails as told."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.readings import Reading
from runtime.errors import Fault
from runtime.propagation import Hop, current


@dataclass
class FakeModel:
    fault: Fault | None = None

    async def read(self, pixels: list[float]) -> Reading:
        current().hops.append(Hop("inference", "v1", "inference-v1-0", 1))
        if self.fault is not None:
            raise self.fault
        label = pixels.index(max(pixels)) % 8
        return Reading(label, [float(i == label) for i in range(10)], "digits", "v1", "sha256:00")
