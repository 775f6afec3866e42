"""`inkmesh load`: Locust against the running copy, everything that happens recorded each second, and a report of it."""
