from prometheus_client import CollectorRegistry, generate_latest

from payment.metrics import Metrics
from payment.records import Audit, Swept


def test_the_ledger_counts_what_it_does():
    """Operations by outcome, groups, commits, holds, decisions; as Prometheus reads them."""
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    assert "inkmesh_ledger_findings NaN" in generate_latest(registry).decode()  # nobody has looked yet
    metrics.group([("hold", "ok"), ("hold", "ok"), ("hold", "insufficient-credits")], 0.002)
    metrics.group([("capture", "ok")], 0.2)
    metrics.swept(Swept(2, 0, 7))
    metrics.audited(Audit(("a fault.", "another."), 1, 2, 0))
    metrics.decided("approved", "model")
    text = generate_latest(registry).decode()
    for line in (
        'inkmesh_ledger_transactions_total{operation="hold",outcome="ok"} 2.0',
        'inkmesh_ledger_transactions_total{operation="hold",outcome="insufficient-credits"} 1.0',
        'inkmesh_ledger_group_size_bucket{le="4.0"} 2.0',
        'inkmesh_ledger_commit_seconds_bucket{le="0.0025"} 1.0',
        "inkmesh_ledger_open_holds 7.0",
        "inkmesh_ledger_expired_holds_total 2.0",
        "inkmesh_ledger_findings 2.0",
        'inkmesh_topup_decisions_total{decided_by="model",status="approved"} 1.0',
    ):
        assert line in text
