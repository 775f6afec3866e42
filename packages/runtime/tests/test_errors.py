"""Faults and their two translations."""

from runtime.errors import GRPC_STATUS, HTTP_STATUS, Code


def test_every_code_has_a_status_on_both_transports():
    """No fault can reach a caller without a true status."""
    assert set(HTTP_STATUS) == set(Code) == set(GRPC_STATUS)
