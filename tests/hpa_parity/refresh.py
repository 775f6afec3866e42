"""Ask a real kube-controller-manager anew: `python -m hpa_parity.refresh --binaries FOLDER [TRACE …]`, in tests/.

FOLDER has `etcd`, `kube-apiserver` and `kube-controller-manager`. All traces run side by side, each with an autoscaler
of its own; the longest takes six minutes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from . import metrics_api
from .control_plane import ControlPlane, control_plane
from .stage import AUTOSCALERS, Stage
from .traces import RECORDED, TRACES, save

SYNC_SECONDS = 3.0
"""Between two looks: long enough that pods are there before the next."""
API_SECONDS = 60


def record(binaries: Path, names: list[str], folder: Path) -> None:
    """Run these traces and keep what they were."""
    with control_plane(binaries, folder, SYNC_SECONDS) as plane:
        stages: dict[str, Stage] = {}
        server = metrics_api.serve(plane.certificate(), lambda name, custom: stages[name].measured(custom))
        try:
            for path, body in metrics_api.api_services(server.server_port):
                plane.create(path, body)
            _wait_for_apis(plane)
            base = int(time.time())
            stages |= {name: Stage(plane, name, TRACES[name], base) for name in names}
            for stage in stages.values():
                stage.begin()
            _play(plane, stages)
        finally:
            server.shutdown()


def _play(plane: ControlPlane, stages: dict[str, Stage]) -> None:
    left = dict(stages)
    while left:
        time.sleep(0.02)
        for name, stage in list(left.items()):
            stage.prepare()
            if stage.done and stage.settled:
                plane.delete(f"{AUTOSCALERS}/{name}")
                save(name, stage.looks)
                sys.stdout.write(f"{name}: {' '.join(str(look.after) for look in stage.looks)}\n")
                del left[name]


def _wait_for_apis(plane: ControlPlane) -> None:
    """Until the API server passes questions on to the metrics API."""
    deadline = time.monotonic() + API_SECONDS
    for group, version in (metrics_api.RESOURCE, metrics_api.CUSTOM):
        while plane.client.get(f"/apis/{group}/{version}").is_error:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the API server does not serve {group}")
            time.sleep(0.2)


def main() -> None:
    """Read the arguments and record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binaries", type=Path, required=True)
    parser.add_argument("traces", nargs="*", metavar="TRACE", help="All, without names.")
    arguments = parser.parse_args()
    RECORDED.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        record(arguments.binaries.absolute(), arguments.traces or list(TRACES), Path(folder))


if __name__ == "__main__":
    main()
