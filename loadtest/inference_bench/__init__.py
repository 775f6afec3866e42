"""The parts of bench_inference: a thin client, the peers, and the servers that do nothing."""
