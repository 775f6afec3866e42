"""Why provisioning cannot go on."""

from __future__ import annotations


class CannotProvision(Exception):
    """One line for the Job's log: the cause, and the next step."""
