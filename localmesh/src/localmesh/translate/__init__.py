"""Istio YAML and a registry of replicas in, Envoy's configuration out: pure, and meaning what istiod means.

`translate` is for the one Envoy that all callers share; `translate_for` is what one caller's own Envoy would get
from istiod, name for name. Each Istio field has a file that is named for it.
"""

from __future__ import annotations

from localmesh.translate import client_tls
from localmesh.translate.callers import Caller, all_callers, identities, ingress, of_workload
from localmesh.translate.destination_rule import ROOT_NAMESPACE
from localmesh.translate.documents import server_credentials
from localmesh.translate.errors import Unsupported
from localmesh.translate.jwt_authn import key_sources
from localmesh.translate.one_envoy import translate
from localmesh.translate.per_caller import translate_for
from localmesh.translate.resources import Resource, Resources
from localmesh.translate.service_entry import services as entry_services
from localmesh.translate.transport_sockets import credential

__all__ = [
    "ROOT_NAMESPACE",
    "Caller",
    "Resource",
    "Resources",
    "Unsupported",
    "all_callers",
    "client_tls",
    "credential",
    "entry_services",
    "identities",
    "ingress",
    "key_sources",
    "of_workload",
    "server_credentials",
    "translate",
    "translate_for",
]
