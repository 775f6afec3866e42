"""A service for tests: says who it is, can be told to be unwell, finishes what it does when it must stop."""

import asyncio
import json
import os
import signal
import sys

WELL = {"/ready": True, "/live": True}


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while line := await reader.readline():
            path = line.split()[1].decode()
            while (await reader.readline()).strip():
                pass
            status, body = 200, {"replica": os.environ["REPLICA"], "pid": os.getpid()}
            if path.startswith("/slow"):
                await asyncio.sleep(0.3)
            elif path.startswith("/sick"):
                WELL[path.removeprefix("/sick")] = False
            elif path == "/environment":
                body["environment"] = dict(os.environ)
            elif not WELL.get(path, True):
                status = 503
            text = json.dumps(body).encode()
            writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: {len(text)}\r\n\r\n".encode() + text)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def main() -> None:
    busy: set[asyncio.Task[None]] = set()

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(answer(reader, writer))
        busy.add(task)
        task.add_done_callback(busy.discard)

    if "--crash" in sys.argv:
        sys.exit("the model is missing")
    server = await asyncio.start_server(connection, os.environ["HOST"], int(os.environ["PORT"]))
    sys.stdout.write(f"serving {os.environ['REPLICA']}\n")
    sys.stdout.flush()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    if "--stubborn" in sys.argv:
        await asyncio.sleep(60)
    server.close()
    # Connections that are idle stay open for a moment, so that what is on its way is still answered.
    await asyncio.wait([asyncio.create_task(asyncio.sleep(0.5)), *busy], timeout=0.5)


asyncio.run(main())
sys.stdout.write(f"stopped {os.environ['REPLICA']}\n")
