"""The small product's YAML: one service `web` behind an ingress, and a scenario."""

from __future__ import annotations

import textwrap


def deployment(name: str, replicas: int, command: str = "[python, fake_service.py]", more: str = "") -> str:
    return textwrap.dedent(f"""\
        apiVersion: apps/v1
        kind: Deployment
        metadata: {{name: {name}}}
        spec:
          replicas: {replicas}
          selector: {{matchLabels: {{app: {name}}}}}
          template:
            metadata: {{labels: {{app: {name}, version: v1}}}}
            spec:
              terminationGracePeriodSeconds: 5
              containers:
                - name: {name}
                  command: {command}
                  ports: [{{name: http, containerPort: 8080}}]
                  env:
                    - {{name: HOST, valueFrom: {{fieldRef: {{fieldPath: status.podIP}}}}}}
                    - {{name: REPLICA, valueFrom: {{fieldRef: {{fieldPath: metadata.name}}}}}}
                    - {{name: PORT, value: $(LOCALMESH_PORT_HTTP)}}
                    - {{name: UPSTREAM, value: "http://$(WEB_SERVICE_HOST):$(WEB_SERVICE_PORT_HTTP)"}}
                  readinessProbe: {{httpGet: {{path: /ready, port: http}}, periodSeconds: 1, failureThreshold: 1}}
                  livenessProbe: {{httpGet: {{path: /live, port: http}}, periodSeconds: 1, failureThreshold: 2}}
        """) + textwrap.indent(more, " " * 6)


def service(name: str) -> str:
    return f"""\
---
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{selector: {{app: {name}}}, ports: [{{name: http, port: 8080, targetPort: http}}]}}
"""


GATEWAY = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: ingress}
spec:
  selector: {istio: ingressgateway}
  servers:
    - port: {number: 80, name: http, protocol: HTTP}
      hosts: ["*"]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ingress}
spec:
  hosts: ["*"]
  gateways: [ingress]
  http:
    - route: [{destination: {host: web, port: {number: 8080}}}]
      retries: {attempts: 0}
"""

TEAPOT = """\
resources: [../../base]
patches:
  - patch: |-
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: {name: ingress, namespace: demo}
      spec:
        http:
          - fault: {abort: {httpStatus: 418, percentage: {value: 100}}}
            route: [{destination: {host: web, port: {number: 8080}}}]
"""

PRODUCT = """\
from localmesh.cli import run
from localmesh.product import Product

DEMO = Product(
    name="demo", summary="A small product.", overlay="k8s/overlays/laptop", scenarios="istio/scenarios",
    home=".demo", env_prefix="DEMO", reference="demo:DEMO",
)
if __name__ == "__main__":
    run(DEMO)
"""
