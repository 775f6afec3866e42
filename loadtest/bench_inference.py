"""Inference a second: ours beside MLServer, KServe and a server that does nothing, in one run.

Every server has one core to itself and the client another; servers are loaded in turns, so that a noisy neighbour hits
all of them; medians of the turns. The peers are installed into environments of their own, under a cache folder.

    python loadtest/bench_inference.py [--rounds 5] [--seconds 3] [--peers MLServer,KServe]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime

from contracts import open_inference_pb2 as wire
from inference.training.__main__ import train
from inference_bench import peers
from inference_bench.peers import Server

ROOT = Path(__file__).resolve().parents[1]
ROW = [0, 0, 5, 13, 9, 1, 0, 0] * 8
PATH, METHOD = "/v2/models/digits/infer", "/inference.GRPCInferenceService/ModelInfer"
CONNECTIONS = 16
MODEL_SECONDS = "inkmesh_model_inference_duration_seconds"


@dataclass
class Case:
    """One kind of request, with the file of its body."""

    title: str
    protocol: str
    body: Path
    header: str = ""
    only: tuple[str, ...] = ()
    """Who takes it; empty: all."""


def cases(work: Path) -> list[Case]:
    """Write the bodies."""

    def file(name: str, content: bytes) -> Path:
        (work / name).write_bytes(content)
        return work / name

    def as_json(rows: int) -> bytes:
        tensor = {"name": "pixels", "datatype": "FP32", "shape": [rows, 64], "data": ROW * rows}
        return json.dumps({"inputs": [tensor]}).encode()

    def message(*, raw: bool) -> bytes:
        request = wire.ModelInferRequest(model_name="digits")
        given = request.inputs.add(name="pixels", datatype="FP32", shape=[1, 64])
        if raw:
            request.raw_input_contents.append(np.array(ROW, "<f4").tobytes())
        else:
            given.contents.fp32_contents.extend(ROW)
        return request.SerializeToString()

    data = np.array(ROW * 256, "<f4").tobytes()
    tensor = {"name": "pixels", "datatype": "FP32", "shape": [256, 64], "parameters": {"binary_data_size": len(data)}}
    head = json.dumps({"parameters": {"binary_data_output": True}, "inputs": [tensor]}).encode()
    return [
        Case("REST, one row", "http", file("row.json", as_json(1))),
        Case("gRPC, one row, raw", "grpc", file("raw", message(raw=True))),
        Case("gRPC, one row, typed", "grpc", file("typed", message(raw=False))),
        Case("REST, 256 rows, JSON", "http", file("batch.json", as_json(256)), only=("Inkmesh", "MLServer", "KServe")),
        Case(
            "REST, 256 rows, binary", "http", file("batch", head + data),
            f"inference-header-content-length: {len(head)}", ("Inkmesh",),
        ),
    ]  # fmt: skip


def load(server: Server, case: Case, seconds: float, core: int | None, rate: float = 0) -> dict[str, float]:
    """One turn, as fast as it goes or at a rate: what the client saw, and the server's processor time a call (µs)."""
    pin = ["taskset", "-c", str(core)] if core is not None else []
    port = server.http_port if case.protocol == "http" else server.grpc_port
    path = PATH if case.protocol == "http" else METHOD
    command = [*pin, sys.executable, peers.HERE / "wire.py", case.protocol, str(port), path, case.body]
    command += ["--seconds", str(seconds), "--connections", str(CONNECTIONS)]
    command += ["--rate", str(rate)]
    kind = "application/octet-stream" if case.header else "application/json"
    for header in (f"content-type: {kind}", case.header):
        command += ["--header", header] if header else []
    before = server.cpu_seconds()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=seconds + 600)
    if done.returncode:
        sys.exit(f"{server.name}, {case.title}: failed")
    seen: dict[str, float] = json.loads(done.stdout)
    return seen | {"cpu": (server.cpu_seconds() - before) / seen["calls"] * 1e6}


def direct(models: Path) -> float:
    """Batches of 256 rows a second by ONNX Runtime alone, on the array as it is."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(models / "digits" / "v1" / "model.onnx", options)
    rows, calls = np.array(ROW * 256, np.float32).reshape(256, 64), 500
    started = time.perf_counter()
    for _ in range(calls):
        session.run(None, {"pixels": rows})
    return calls / (time.perf_counter() - started)


def within(server: Server) -> tuple[float, float]:
    """Seconds that the model itself took for all batches of 17 to 256 rows so far, and their number, by its metrics."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.http_port}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    kind = re.escape('{model="digits",rows="17-256",version="v1"}')
    found = [re.search(f"^{MODEL_SECONDS}_{part}{kind} (.+)$", text, re.M) for part in ("sum", "count")]
    seconds, calls = (float(each[1]) if each else 0.0 for each in found)
    return seconds, calls


def table(servers: list[Server], all_cases: list[Case], turns: dict[tuple[str, str], list[dict[str, float]]]) -> str:
    """Markdown: a row a case and server; the ratio is ours to theirs."""
    lines = ["| | server | requests/s | p50 ms | p99 ms | CPU µs | ours : theirs |", "|---|---|---|---|---|---|---|"]
    for case in all_cases:
        rates = {}
        for server in servers:
            seen = turns.get((case.title, server.name))
            if seen:
                rates[server.name] = statistics.median(each["rate"] for each in seen)
                middle = {key: statistics.median(each[key] for each in seen) for key in ("p50", "p99", "cpu")}
                ratio = "" if server.name == "Inkmesh" else f"{rates['Inkmesh'] / rates[server.name]:.2f}"
                lines.append(
                    f"| {case.title} | {server.name} | {rates[server.name]:,.0f} | {middle['p50']:.2f} | "
                    f"{middle['p99']:.2f} | {middle['cpu']:,.0f} | {ratio} |"
                )
    return "\n".join(lines)


def main() -> None:
    """Start all, load them in turns, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each server (%(default)s)")
    parser.add_argument("--seconds", type=float, default=3, help="of each turn (%(default)s)")
    parser.add_argument("--peers", default="MLServer,KServe", help="with commas; empty: none (%(default)s)")
    parser.add_argument("--cache", type=Path, default=ROOT / ".inkmesh" / "peers", help="for the peers (%(default)s)")
    given = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    server_core, client_core = (cores[0], cores[1]) if len(cores) > 1 else (None, None)
    make = {"MLServer": peers.mlserver, "KServe": peers.kserve}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        models = given.cache / "models"
        train(models)
        all_cases = cases(work)
        answer = work / "answer.json"
        answer.write_text(json.dumps({"model_name": "digits", "outputs": [{"name": "label", "data": [7]}] * 2}))
        servers = [peers.inkmesh(models), peers.limit(answer, work / "raw")]
        servers += [make[name](given.cache, work) for name in given.peers.split(",") if name]
        turns: dict[tuple[str, str], list[dict[str, float]]] = defaultdict(list)
        directly = []
        running: list[Server] = []
        try:
            for server in servers:
                server.start(work / f"{server.name}.log", server_core)
                running.append(server)
            for turn in range(given.rounds + 1):
                for case in all_cases:
                    for server in servers:
                        if not case.only or server.name in case.only:
                            seen = load(server, case, given.seconds if turn else 1, client_core)
                            if turn:  # the first is to warm up
                                turns[case.title, server.name].append(seen)
                directly.append(direct(models))
            seconds, calls = within(servers[0])
            memory = {server.name: server.resident_mib() for server in servers}
        finally:
            for server in running:
                server.stop()
    print(table(servers, all_cases, turns))
    ours = statistics.median(each["rate"] for each in turns["REST, 256 rows, binary", "Inkmesh"])
    print(
        f"\nONNX Runtime alone, 256 rows: {statistics.median(directly):,.0f}/s; ours over HTTP, binary: {ours:,.0f}/s, "
        f"in which the model itself takes {seconds / calls * 1e6:,.0f} µs."
    )
    print("\n| server | MiB resident | s to ready |\n|---|---|---|")
    for server in servers:
        print(f"| {server.name} | {memory[server.name]:.0f} | {server.ready_seconds:.1f} |")


if __name__ == "__main__":
    main()
