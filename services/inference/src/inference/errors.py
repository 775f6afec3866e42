"""What can go wrong with an inference, in the caller's terms.

Fault
├── BadInput        the request does not fit the protocol or the model
├── UnknownModel    this process does not serve that model or version
├── NotReady        it will, but its files are not checked and loaded yet, or it was unloaded
├── LoadRefused     a model that was to be loaded is not what it promises
├── NotPermitted    the caller may not change what is served
├── Overloaded      more calls wait than can be answered in time
└── TooSlow         the model did not answer in time
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
    """Served here, but not now."""

    def __init__(self) -> None:
        super().__init__(Code.UNAVAILABLE, "model-not-ready", "The model is not ready yet.")


class LoadRefused(Fault):
    """The files in the folder are not a model that may be served; what was served goes on."""

    def __init__(self) -> None:
        detail = "The model's files were refused, and nothing changed: the index says why."
        super().__init__(Code.CONFLICT, "model-refused", detail)


class NotPermitted(Fault):
    """The repository's calls are for the holder of the token in INFERENCE_ADMIN_TOKEN_FILE; without one, for nobody."""

    def __init__(self) -> None:
        detail = "The repository's calls need the administrator's token (authorization: Bearer TOKEN), if one is set."
        super().__init__(Code.FORBIDDEN, "not-permitted", detail)


class Overloaded(Fault):
    """Answering would take longer than the caller should wait."""

    def __init__(self) -> None:
        super().__init__(Code.UNAVAILABLE, "overloaded", "Too many calls are waiting here: try again in a second.")


class TooSlow(Fault):
    """The model was stopped."""

    def __init__(self) -> None:
        super().__init__(Code.DEADLINE, "model-too-slow", "The model did not answer in time and was stopped.")
