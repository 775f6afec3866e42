"""Make istio.json again from a cluster's own CRDs: `kubectl get crd -o json | python refresh_istio.py`.

Only `spec` of the kinds that are used here, without descriptions, one kind a line; a field that a CRD
does not know is an error, where an API server would drop it.
"""

import json
import sys
from pathlib import Path

KINDS = (
    "AuthorizationPolicy",
    "DestinationRule",
    "EnvoyFilter",
    "Gateway",
    "PeerAuthentication",
    "RequestAuthentication",
    "ServiceEntry",
    "Sidecar",
    "Telemetry",
    "VirtualService",
)
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


def main():
    """Read CRDs from standard input; write istio.json beside this file."""
    lines = []
    for crd in json.load(sys.stdin)["items"]:
        group, kind = crd["spec"]["group"], crd["spec"]["names"]["kind"]
        if group.endswith("istio.io") and kind in KINDS:
            for version in crd["spec"]["versions"]:
                spec = strict(version["schema"]["openAPIV3Schema"]["properties"]["spec"])
                name = f"{group}/{version['name']} {kind}"
                if version["name"] == "v1" or kind == "EnvoyFilter":
                    lines.append(f"{json.dumps(name)}: {json.dumps(spec, separators=(',', ':'), sort_keys=True)}")
    Path(__file__).with_name("istio.json").write_text("{\n" + ",\n".join(sorted(lines)) + "\n}\n")


if __name__ == "__main__":
    main()
