"""What can go wrong with an inference, in the caller's terms.

Fault
├── BadInput        the request does not fit the protocol or the model
├── UnknownModel    this process does not serve that model or version
└── NotReady        it will, but its files are not checked and loaded yet
"""

from __future__ import annotations

from runtime.errors import Code, Fault


class BadInput(Fault):
    """The request does not fit. `detail` names what the model wants, never what was sent."""

    def __init__(self, detail: str) -> None:
        super().__init__(Code.MALFORMED, "invalid-request", detail)


class UnknownModel(Fault):
    """Not served here."""

    def __init__(self) -> None:
        super().__init__(Code.NOT_FOUND, "model-not-found", "No such model or version is served here.")


class NotReady(Fault):
    """Served here, but not yet."""

    def __init__(self) -> None:
        super().__init__(Code.UNAVAILABLE, "model-not-ready", "The model is not ready yet.")
