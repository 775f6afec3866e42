"""Envoy's filesystem xDS: a folder of files that change atomically, and Envoy's word that a change is in force."""

from __future__ import annotations

from localmesh.xds.directory import Versions, XdsDirectory
from localmesh.xds.files import secret
from localmesh.xds.refusals import Rejected

__all__ = ["Rejected", "Versions", "XdsDirectory", "secret"]
