"""`python -m payment` as a process."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager

import grpc.aio
import httpx
import pytest

from contracts import payment_v1_pb2 as wire
from contracts import payment_v1_pb2_grpc as wire_grpc


def environment(path, **more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PAYMENT_")}
    return kept | {"PAYMENT_DATABASE": str(path), "PAYMENT_INFERENCE_URL": "http://127.0.0.1:1"} | more


def command(path, *words, **more):
    return subprocess.run(
        [sys.executable, "-m", "payment", *words],
        env=environment(path, **more),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@asynccontextmanager
async def served(path, free_ports, ready=True):
    """The process, an HTTP client and a gRPC stub; SIGTERM at the end, and it must leave in order."""
    http_port, grpc_port = free_ports
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "payment",
        env=environment(path, PAYMENT_HTTP_PORT=str(http_port), PAYMENT_GRPC_PORT=str(grpc_port)),
        stdout=subprocess.DEVNULL,
    )
    try:
        async with (
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{http_port}") as client,
            grpc.aio.insecure_channel(f"127.0.0.1:{grpc_port}") as channel,
        ):
            while True:
                assert process.returncode is None
                try:
                    if (await client.get("/healthz/ready" if ready else "/healthz/live")).status_code == 200:
                        break
                except httpx.TransportError:
                    await asyncio.sleep(0.02)
            yield client, wire_grpc.PaymentServiceStub(channel)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 60) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.fixture
def free_ports():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        return one.getsockname()[1], two.getsockname()[1]


def test_a_life(bank, free_ports):
    """It serves both transports from one ledger, sweeps, counts, stops in order, and its books are sound after."""

    async def scenario():
        async with served(bank.address, free_ports) as (client, stub):
            await client.post("/v1/accounts", json={"account_id": "ann", "credits": 20})
            key = wire.IdempotencyKey(key="k", fingerprint=b"x" * 32, attempt="a1")
            held = await stub.Hold(wire.HoldRequest(account_id="ann", key=key, amount=3))
            answer = wire.StoredAnswer(status=201, body=b"7")
            await stub.Capture(
                wire.SettleRequest(account_id="ann", charge_id=held.charge.charge_id, attempt="a1", answer=answer)
            )
            top_up = await client.post(
                "/v1/accounts/ann/topups",
                json={"credits": 50, "card": "4242424242424242"},
                headers={"idempotency-key": "t"},
            )
            assert (top_up.status_code, top_up.json()["decided_by"], top_up.json()["available"]) == (201, "rules", 67)
            account = await client.get("/v1/accounts/ann")
            assert account.json() == {"account_id": "ann", "balance": 67, "held": 0}
            assert account.headers["x-inkmesh-path"].startswith("payment;")
            metrics = (await client.get("/metrics")).text
            assert 'inkmesh_ledger_transactions_total{operation="capture",outcome="ok"} 1.0' in metrics
            assert 'inkmesh_ledger_transactions_total{operation="sweep",outcome="ok"}' in metrics
            assert 'inkmesh_topup_decisions_total{decided_by="rules",status="approved"} 1.0' in metrics

    asyncio.run(asyncio.wait_for(scenario(), 120))
    done = command(bank.address, "audit")
    assert (done.returncode, done.stdout) == (0, "sound; 1 accounts, 4 transfers, 0 charges held\n")


def test_audit_says_what_is_wrong(bank):
    """Findings on standard output and exit code 1."""
    bank.run(lambda ledger: ledger.open_account("ann", 20))
    bank.sql("UPDATE account SET posted = 21 WHERE id = 'ann'")
    done = command(bank.address, "audit")
    assert done.returncode == 1
    assert "debits and credits differ by 1." in done.stdout
    assert "NOT sound: 2 findings" in done.stdout


@pytest.mark.parametrize("content", [None, b"this is not a ledger" * 100])
def test_audit_of_nothing_is_said_to_be_that(tmp_path, content):
    """Exit code 2, and no file is made."""
    path = tmp_path / "payment.sqlite3"
    if content is not None:
        path.write_bytes(content)
    done = command(path, "audit")
    assert done.returncode == 2
    assert "cannot read the ledger" in done.stderr
    assert path.exists() is (content is not None)


def test_a_start_that_cannot_be_is_one_line(tmp_path):
    """A file that is no ledger, an unknown word."""
    path = tmp_path / "payment.sqlite3"
    path.write_bytes(b"this is not a ledger" * 100)
    done = command(path)
    assert (done.returncode, done.stderr) == (1, "payment: file is not a database\n")
    assert "usage" in command(path, "adit").stderr


def test_audit_of_a_database_that_is_not_there_names_it():
    """And not its password."""
    done = command("postgresql://payment:hunter2@127.0.0.1:1/payment", "audit")
    assert done.returncode == 2
    assert "cannot read the ledger postgresql+psycopg://payment:***@127.0.0.1:1/payment" in done.stderr
    assert "hunter2" not in done.stderr


@pytest.mark.parametrize("name", ["mysql://a:hunter2@db/payment", "postgres+asyncpg://a:hunter2@db/payment", ""])
def test_an_address_of_something_else_is_refused(name):
    """Rather than taken for a file's name; and it is not repeated."""
    done = command(name)
    assert done.returncode == 1
    assert "database" in done.stderr
    assert "hunter2" not in done.stderr


def test_a_new_ledger_s_folder_is_made(tmp_path, free_ports):
    """A file's folder need not be there."""
    path = tmp_path / "new" / "payment.sqlite3"

    async def scenario():
        async with served(path, free_ports) as (client, _):
            assert (await client.get("/v1/audit")).json()["sound"]

    asyncio.run(asyncio.wait_for(scenario(), 120))
    assert path.exists()


def test_it_waits_for_its_database(postgres, free_ports):
    """It listens and is alive, and ready only while the database answers and has the schema that it needs."""
    address = postgres.new_database()

    async def scenario():
        async with served(address, free_ports, ready=False) as (client, stub):

            async def becomes(status):
                async with asyncio.timeout(60):
                    while (await client.get("/healthz/ready")).status_code != status:  # noqa: ASYNC110 (a process's)
                        await asyncio.sleep(0.02)
                assert (await client.get("/healthz/live")).status_code == 200

            await becomes(503)
            told = await client.get("/v1/accounts/ann")
            assert (told.status_code, told.json()["type"]) == (503, "/problems/ledger-unavailable")
            migrated = await asyncio.to_thread(command, address, "migrate")
            assert (migrated.returncode, migrated.stderr) == (0, "")
            await becomes(200)
            await asyncio.to_thread(postgres.stop)
            try:
                await becomes(503)
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await stub.GetAccount(wire.GetAccountRequest(account_id="ann"), timeout=60)
                assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
            finally:
                await asyncio.to_thread(postgres.start)
            await becomes(200)
            assert (await client.get("/v1/audit")).json()["sound"]

    asyncio.run(asyncio.wait_for(scenario(), 300))


def test_there_is_nothing_to_migrate_in_a_file(tmp_path):
    """The same init container does no harm there."""
    done = command(tmp_path / "payment.sqlite3", "migrate")
    assert (done.returncode, list(tmp_path.iterdir())) == (0, [])
    assert "nothing to migrate" in done.stdout


def test_postgresql_s_own_tools_make_its_backups():
    """Said with their names."""
    for word, tool in (("backup", "pg_dump"), ("restore", "pg_restore")):
        done = command("postgresql://payment@127.0.0.1:1/payment", word, "file")
        assert done.returncode == 1
        assert tool in done.stderr
