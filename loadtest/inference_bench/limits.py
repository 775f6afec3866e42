"""Servers that do nothing but answer, by the same libraries: what no server on them can pass.

python limits.py HTTP_PORT GRPC_PORT ANSWER_JSON ANSWER_PROTO
"""

from __future__ import annotations

import sys
from pathlib import Path

import grpc.aio
import uvicorn
import uvloop
from starlette.types import Receive, Scope, Send


async def serve(http_port: int, grpc_port: int, body: bytes, message: bytes) -> None:
    """Answer every POST and every ModelInfer with the same bytes."""
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def infer(_: bytes, __: object) -> bytes:
        return message

    server = grpc.aio.server()
    handlers = {"ModelInfer": grpc.unary_unary_rpc_method_handler(infer)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("inference.GRPCInferenceService", handlers),))
    server.add_insecure_port(f"127.0.0.1:{grpc_port}")
    await server.start()
    config = uvicorn.Config(
        app, port=http_port, loop="uvloop", http="httptools", lifespan="off", access_log=False, log_level="error"
    )
    await uvicorn.Server(config).serve()
    await server.stop(0)


if __name__ == "__main__":
    uvloop.run(
        serve(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]).read_bytes(), Path(sys.argv[4]).read_bytes())
    )
