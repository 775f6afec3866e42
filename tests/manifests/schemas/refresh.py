"""Make a file of this folder again from CRDs, a cluster's own or as a project publishes them:

    kubectl get crd -o json >crds.json && python refresh.py istio.json crds.json
    python refresh.py gitops.json ARGO_CD/manifests/crds/application-crd.yaml FLUX_CONTROLLER/config/crd/bases/*.yaml

Only `spec` of the kinds that are used here, without descriptions, one kind a line; a field that a CRD
does not know is an error, where an API server would drop it.
"""

import json
import sys
from pathlib import Path

import yaml

KINDS = {
    "istio.json": {
        "networking.istio.io/v1": {"DestinationRule", "Gateway", "ServiceEntry", "Sidecar", "VirtualService"},
        "networking.istio.io/v1alpha3": {"EnvoyFilter"},
        "security.istio.io/v1": {"AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication"},
        "telemetry.istio.io/v1": {"Telemetry"},
    },
    "gitops.json": {
        "argoproj.io/v1alpha1": {"Application"},
        "kustomize.toolkit.fluxcd.io/v1": {"Kustomization"},
        "source.toolkit.fluxcd.io/v1": {"GitRepository"},
    },
}
DROPPED = {"description", "default", "format", "x-kubernetes-validations", "x-kubernetes-list-type"}
DROPPED |= {"x-kubernetes-list-map-keys", "x-kubernetes-map-type", "x-kubernetes-preserve-unknown-fields"}


def strict(node, names=False):
    """A CRD's schema as plain JSON schema. `names`: the mapping's keys are fields of a resource, not of the schema."""
    if isinstance(node, list):
        return [strict(one) for one in node]
    if not isinstance(node, dict):
        return node
    if names:
        return {key: strict(value) for key, value in node.items()}
    out = {key: strict(value, key == "properties") for key, value in node.items() if key not in DROPPED}
    if out.pop("x-kubernetes-int-or-string", False):
        out["type"] = ["integer", "string"]
    closed = out.get("type") == "object" and "properties" in out and "additionalProperties" not in out
    if closed and not node.get("x-kubernetes-preserve-unknown-fields"):
        out["additionalProperties"] = False
    return out


def crds(file):
    """What a file holds: CRDs, or lists of them."""
    for document in yaml.safe_load_all(file.read_text()):
        yield from document.get("items", [document]) if document else []


def main():
    """Read CRDs; write the file that is named first, beside this one."""
    name, *files = sys.argv[1:]
    lines = []
    for crd in [crd for file in files for crd in crds(Path(file))]:
        for version in crd["spec"]["versions"]:
            group, kind = f"{crd['spec']['group']}/{version['name']}", crd["spec"]["names"]["kind"]
            if kind in KINDS[name].get(group, ()):
                spec = strict(version["schema"]["openAPIV3Schema"]["properties"]["spec"])
                lines.append(f'"{group} {kind}": {json.dumps(spec, separators=(",", ":"), sort_keys=True)}')
    Path(__file__).with_name(name).write_text("{\n" + ",\n".join(sorted(lines)) + "\n}\n")


if __name__ == "__main__":
    main()
