"""What cannot mean anything on a laptop, and why. A field that is neither here nor supported is an error."""

from __future__ import annotations

_SCHEDULING = "there is one machine: nothing to schedule"
_ISOLATION = "processes of one user share a machine: there is no container to confine"
_IMAGE = "the workload runs from this checkout, not from an image"
_CONTROLLER = "speaks to controllers of a cluster"
_HISTORY = "there is no history of rollouts to keep"
_NETWORK = "the machine's own network and names are used"

KINDS = {
    "Namespace": "names are kept apart without it",
    "ServiceAccount": "no API server to authenticate to; its name still counts for policies",
    "Role": _ISOLATION,
    "RoleBinding": _ISOLATION,
    "ClusterRole": _ISOLATION,
    "ClusterRoleBinding": _ISOLATION,
    "NetworkPolicy": _ISOLATION,
    "PodDisruptionBudget": _SCHEDULING,
    "PriorityClass": _SCHEDULING,
    "ResourceQuota": _SCHEDULING,
    "LimitRange": _SCHEDULING,
}
"""Kinds that are passed over."""

_POD = "spec.template.spec"
_CONTAINER = f"{_POD}.containers[]"

FIELDS = {
    "Deployment": {
        "metadata.annotations": _CONTROLLER,
        "metadata.labels": "selectors read the pods' labels",
        "spec.revisionHistoryLimit": _HISTORY,
        "spec.progressDeadlineSeconds": _HISTORY,
        "spec.minReadySeconds": "a replica counts as soon as its probes pass",
        f"{_POD}.affinity": _SCHEDULING,
        f"{_POD}.automountServiceAccountToken": "no API server to authenticate to",
        f"{_POD}.dnsConfig": _NETWORK,
        f"{_POD}.dnsPolicy": _NETWORK,
        f"{_POD}.hostUsers": _ISOLATION,
        f"{_POD}.imagePullSecrets": _IMAGE,
        f"{_POD}.nodeSelector": _SCHEDULING,
        f"{_POD}.priorityClassName": _SCHEDULING,
        f"{_POD}.runtimeClassName": _ISOLATION,
        f"{_POD}.schedulerName": _SCHEDULING,
        f"{_POD}.securityContext": _ISOLATION,
        f"{_POD}.tolerations": _SCHEDULING,
        f"{_POD}.topologySpreadConstraints": _SCHEDULING,
        f"{_CONTAINER}.image": _IMAGE,
        f"{_CONTAINER}.imagePullPolicy": _IMAGE,
        f"{_CONTAINER}.lifecycle.preStop": "localmesh takes the endpoint away before it stops a replica",
        f"{_CONTAINER}.resources.limits": "a limit needs cgroups, which need root",
        f"{_CONTAINER}.securityContext": _ISOLATION,
        f"{_CONTAINER}.terminationMessagePath": "the log has it",
        f"{_CONTAINER}.terminationMessagePolicy": "the log has it",
        f"{_CONTAINER}.workingDir": _IMAGE,
        f"{_CONTAINER}.ports[].protocol": "TCP is the only one",
        f"{_CONTAINER}.volumeMounts[].readOnly": _ISOLATION,
        f"{_POD}.volumes[].configMap.defaultMode": "files belong to the user who runs the mesh",
        f"{_POD}.volumes[].secret.defaultMode": "files can be read by the user who runs the mesh alone",
        f"{_POD}.volumes[].emptyDir.medium": "a folder of the state folder is used",
        f"{_POD}.volumes[].emptyDir.sizeLimit": "a limit needs a file system of its own",
    },
    "Service": {
        "metadata.annotations": _CONTROLLER,
        "metadata.labels": "nothing selects Services by labels here",
        "spec.type": "the ingress is Envoy's listener on this machine",
        "spec.clusterIP": "each caller has an address of its own for each service",
        "spec.ipFamilies": _NETWORK,
        "spec.ipFamilyPolicy": _NETWORK,
        "spec.internalTrafficPolicy": _SCHEDULING,
        "spec.ports[].nodePort": "the ingress is Envoy's listener on this machine",
        "spec.ports[].protocol": "TCP is the only one",
    },
    "ConfigMap": {
        "metadata.annotations": _CONTROLLER,
        "metadata.labels": "nothing selects ConfigMaps by labels",
        "immutable": "an edit is an edit of the file it comes from",
    },
    "Secret": {
        "metadata.annotations": _CONTROLLER,
        "metadata.labels": "nothing selects Secrets by labels",
        "immutable": "an edit is an edit of the file it comes from",
        "type": "the keys are used as they are",
    },
    "HorizontalPodAutoscaler": {
        "metadata.annotations": _CONTROLLER,
        "metadata.labels": "nothing selects autoscalers by labels",
    },
}
"""Kind → path of a field → why it is passed over."""
