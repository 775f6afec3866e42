"""Rendered documents become typed manifests; what is not supported is an error that names file, resource and field."""

from pathlib import Path

import pytest
import yaml

from localmesh.errors import ManifestError
from localmesh.kustomize.document import Document
from localmesh.manifests import read
from localmesh.manifests.ignored import FIELDS
from localmesh.manifests.model import EnvFrom, EnvVar, FieldRef, KeyRef, Probe, Volume
from localmesh.mesh import ServicePort

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: demo, labels: {app: web}, annotations: {a: b}}
spec:
  replicas: 3
  revisionHistoryLimit: 2
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 50%, maxUnavailable: 0}}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, version: v1}, annotations: {note: here}}
    spec:
      serviceAccountName: web
      terminationGracePeriodSeconds: 7
      automountServiceAccountToken: false
      enableServiceLinks: true
      securityContext: {runAsNonRoot: true}
      topologySpreadConstraints: [{maxSkew: 1}]
      containers:
        - name: web
          image: web
          imagePullPolicy: Never
          command: [python, -m, web]
          args: [--fast]
          ports: [{name: http, containerPort: 8080, protocol: TCP}, {containerPort: 9090}]
          envFrom: [{configMapRef: {name: web}}, {prefix: P_, secretRef: {name: keys, optional: true}}]
          env:
            - {name: EMPTY}
            - {name: TEXT, value: "$(LOCALMESH_STATE)/x"}
            - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
            - {name: VERSION, valueFrom: {fieldRef: {fieldPath: "metadata.labels['version']"}}}
            - {name: KEY, valueFrom: {secretKeyRef: {name: keys, key: key}}}
            - {name: WORD, valueFrom: {configMapKeyRef: {name: web, key: word, optional: true}}}
          startupProbe: {httpGet: {path: /start, port: http}, periodSeconds: 1, failureThreshold: 60}
          livenessProbe: {tcpSocket: {port: 9090}, initialDelaySeconds: 3}
          readinessProbe:
            httpGet: {path: /ready, port: 8080, httpHeaders: [{name: a, value: b}]}
            timeoutSeconds: 2
            successThreshold: 2
          lifecycle: {preStop: {sleep: {seconds: 5}}}
          resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {cpu: 1}}
          securityContext: {readOnlyRootFilesystem: true}
          volumeMounts: [{name: config, mountPath: /config, readOnly: true}, {name: temporary, mountPath: /tmp}]
      volumes:
        - {name: config, configMap: {name: web, items: [{key: a, path: b.txt}], defaultMode: 420}}
        - {name: temporary, emptyDir: {sizeLimit: 1Mi}}
        - {name: secret, secret: {secretName: keys, optional: true}}
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: demo}
spec:
  type: ClusterIP
  selector: {app: web}
  ports:
    - {name: http, port: 80, targetPort: 8080}
    - {name: grpc-web, port: 81, targetPort: other}
    - {name: plain, port: 82, appProtocol: kubernetes.io/h2c}
    - {name: db, port: 83}
"""


def document(text: str) -> Document:
    return Document(yaml.safe_load(text), Path("folder/web.yaml").absolute())


def changed(text: str, old: str, new: str) -> Document:
    assert old in text
    return document(text.replace(old, new))


def test_a_deployment_is_read_whole():
    """Every field that means something on a laptop is there, typed."""
    (found,) = read([document(DEPLOYMENT)]).deployments
    assert (found.name, found.namespace, found.replicas, found.grace) == ("web", "demo", 3, 7)
    assert (found.surge, found.recreate, found.service_account) == (2, False, "web")
    assert found.labels == {"app": "web", "version": "v1"}
    assert found.annotations == {"note": "here"}
    container = found.container
    assert container.command + container.args == ("python", "-m", "web", "--fast")
    assert [(port.name, port.number) for port in container.ports] == [("http", 8080), ("9090", 9090)]
    assert container.env_from == (EnvFrom("ConfigMap", "web"), EnvFrom("Secret", "keys", "P_", True))
    assert container.env == (
        EnvVar("EMPTY", ""),
        EnvVar("TEXT", "$(LOCALMESH_STATE)/x"),
        EnvVar("IP", FieldRef("status.podIP")),
        EnvVar("VERSION", FieldRef("metadata.labels['version']")),
        EnvVar("KEY", KeyRef("Secret", "keys", "key")),
        EnvVar("WORD", KeyRef("ConfigMap", "web", "word", True)),
    )
    assert container.startup == Probe("http", "/start", period=1, failure_threshold=60)
    assert container.liveness == Probe("9090", None, initial_delay=3)
    assert container.readiness == Probe("8080", "/ready", (("a", "b"),), timeout=2, success_threshold=2)
    assert container.requests == {"cpu": "100m", "memory": "64Mi"}
    assert found.volumes == (
        Volume("config", "configMap", "web", (("a", "b.txt"),)),
        Volume("temporary", "emptyDir"),
        Volume("secret", "secret", "keys", (), True),
    )


def test_a_services_ports_have_protocols():
    """appProtocol decides, else the first part of the port's name; what is neither is tcp."""
    (found,) = read([document(SERVICE)]).services
    assert found.host == "web.demo.svc.cluster.local"
    assert found.ports == (
        ServicePort("http", 80, "8080", "http"),
        ServicePort("grpc-web", 81, "other", "grpc"),
        ServicePort("plain", 82, "82", "http2"),
        ServicePort("db", 83, "83", "tcp"),
    )


def test_configmaps_and_secrets_are_bytes():
    """Secrets are decoded; stringData is taken as it is."""
    found = read(
        [
            document("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: '1'}}"),
            document("{apiVersion: v1, kind: Secret, metadata: {name: b}, data: {x: MQ==}, stringData: {y: z}}"),
        ]
    ).config
    assert found["ConfigMap", "default", "a"].data == {"x": b"1"}
    assert found["Secret", "default", "b"].data == {"x": b"1", "y": b"z"}


def test_an_autoscaler_is_kept():
    """Its target, bounds and metrics are there for whoever scales."""
    text = """
    apiVersion: autoscaling/v2
    kind: HorizontalPodAutoscaler
    metadata: {name: web, namespace: demo}
    spec:
      scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
      maxReplicas: 4
      metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 60}}}]
    """
    (found,) = read([document(text)]).autoscalers
    assert (found.target, found.min_replicas, found.max_replicas) == ("web", 1, 4)
    assert found.metrics[0].utilization == 60


def test_istio_documents_go_on_untouched():
    """Only an annotation is added, which names the file."""
    source = document("{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: g}, spec: {anything: 1}}")
    (found,) = read([source]).mesh
    assert found["spec"] == {"anything": 1}
    assert found["metadata"]["annotations"] == {"localmesh/file": "folder/web.yaml"}


def test_what_means_nothing_on_a_laptop_is_passed_over_with_a_reason():
    """Kinds and fields of a cluster's own are in one list."""
    assert read([document("{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: a}, spec: {x: 1}}")])
    assert all(reason for fields in FIELDS.values() for reason in fields.values())


HERE = r"spec\.template\.spec\.containers\[0\]"
REFUSED = {
    "hostNetwork": ("serviceAccountName: web", "hostNetwork: true", r"spec\.template\.spec\.hostNetwork: is not supp"),
    "initContainers": (
        "serviceAccountName: web",
        "initContainers: [{name: a}]",
        r"spec\.initContainers: is not supported",
    ),
    "paused": ("replicas: 3", "paused: true", r"spec\.paused: is not supported"),
    "two containers": ("          image: web", "          image: web\n        - name: two", r"containers: has 2"),
    "no command": ("command: [python, -m, web]", "", rf"{HERE}\.command: is missing"),
    "an exec probe": ("{httpGet: {path: /start, port: http}", "{exec: {command: [x]}", rf"{HERE}\.startupProbe: needs"),
    "https": ("{path: /start, port: http}", "{path: /start, port: http, scheme: HTTPS}", "`HTTPS` is not supported"),
    "a port that is not there": ("/start, port: http}", "/start, port: grpc}", "the container has no port `grpc`"),
    "UDP": ("protocol: TCP", "protocol: UDP", rf"{HERE}\.ports\[0\]\.protocol: only TCP"),
    "a number as a value": ('value: "$(LOCALMESH_STATE)/x"', "value: 1", rf"{HERE}\.env\[1\]\.value: must be a string"),
    "an unknown field reference": ("status.podIP", "status.podIPs", "`status.podIPs` is not known"),
    "a resource reference": (
        "fieldRef: {fieldPath: status.podIP}",
        "resourceFieldRef: {resource: x}",
        "resourceFieldRef",
    ),
    "another volume": ("emptyDir: {sizeLimit: 1Mi}", "hostPath: {path: /}", r"volumes\[1\]: volume temporary: only"),
    "a mount of nothing": ("{name: temporary, mountPath", "{name: nothing, mountPath", "there is no volume `nothing`"),
    "a mount of a part": ("mountPath: /config", "mountPath: /config, subPath: a", r"volumeMounts\[0\]\.subPath"),
    "labels that do not match": ("matchLabels: {app: web}", "matchLabels: {app: other}", r"selector\.matchLabels\.app"),
    "postStart": ("preStop:", "postStart:", r"lifecycle\.postStart: is not supported"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_field_of_a_deployment_is_refused(case):
    """The error names the file, the resource and the field's path."""
    old, new, reason = REFUSED[case]
    with pytest.raises(ManifestError, match=reason) as error:
        read([changed(DEPLOYMENT, old, new)])
    assert str(error.value).startswith("folder/web.yaml: Deployment demo/web: spec")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("type: ClusterIP", "type: ExternalName", "ExternalName is not supported"),
        ("type: ClusterIP", "clusterIP: None", "headless"),
        ("type: ClusterIP", "sessionAffinity: ClientIP", "`ClientIP` is not supported"),
        ("selector: {app: web}", "", "selector: is missing"),
        ("type: ClusterIP", "externalIPs: [1.2.3.4]", "externalIPs: is not supported"),
    ],
)
def test_a_field_of_a_service_is_refused(old, new, reason):
    """As those of a Deployment are."""
    with pytest.raises(ManifestError, match=reason):
        read([changed(SERVICE, old, new)])


def test_an_unknown_kind_is_refused():
    """A kind that is neither supported nor in the list is an error."""
    with pytest.raises(ManifestError, match="StatefulSet is not supported on a laptop"):
        read([document("{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: a}}")])
