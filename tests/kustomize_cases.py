"""Folders that use each part of kustomize that is supported, by what they show."""

APP = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {tier: "1"}}
spec:
  strategy: {type: Recreate}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: web
      tolerations: [{key: a}]
      containers:
        - name: first
          image: busybox
        - name: web
          image: registry.local:5000/web:1
          command: [a, b]
          env: [{name: A, value: a}, {name: B, value: "1e3"}, {name: C, value: "on"}]
          envFrom: [{configMapRef: {name: settings}}, {secretRef: {name: keys}}]
          ports: [{name: http, containerPort: 8080}, {name: grpc, containerPort: 9090}]
          readinessProbe: {httpGet: {path: /, port: http}}
          volumeMounts: [{name: data, mountPath: /data}]
      volumes: [{name: data, configMap: {name: settings}}]
---
apiVersion: v1
kind: Service
metadata: {name: web, annotations: {a/b: "1"}}
spec: {selector: {app: web}, ports: [{port: 80, name: http}, {port: 81, name: other}]}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web}
---
apiVersion: v1
kind: Namespace
metadata: {name: somewhere}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {selector: {matchLabels: {app: web}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: web}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: default, namespace: x}, {kind: ServiceAccount, name: web, namespace: x}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web}
spec:
  hosts: [web]
  http: [{name: one, timeout: 1s, route: [{destination: {host: web}}]}]
"""

CONFIG = """\
configMapGenerator:
  - name: settings
    literals: [A=1, "B=two words", 'C="quoted"', "D='single'", "E=a=b"]
    files: [text.txt, renamed=text.txt]
    envs: [variables.env]
secretGenerator:
  - {name: keys, literals: [KEY=value], type: Opaque}
"""

CASES = {
    "resources": "resources: [app]",
    "namespace": "resources: [app]\nnamespace: demo",
    "namespace-and-patch-by-new-name": """\
        resources: [app]
        namespace: demo
        patches:
          - target: {kind: Namespace}
            patch: '[{"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}]'
        """,
    "prefix-and-suffix": "resources: [app]\nnamePrefix: my-\nnameSuffix: -v2",
    "labels": "resources: [app]\nlabels: [{pairs: {part-of: demo}}]",
    "labels-in-templates": "resources: [app]\nlabels: [{pairs: {part-of: demo}, includeTemplates: true}]",
    "labels-in-selectors": "resources: [app]\nlabels: [{pairs: {part-of: demo}, includeSelectors: true}]",
    "images": """\
        resources: [app]
        images:
          - {name: busybox, newName: alpine, newTag: "3"}
          - {name: "registry.local:5000/web", digest: "sha256:abc0"}
        """,
    "replicas": "resources: [app]\nreplicas: [{name: web, count: 5}]",
    "generators-with-hashes": "resources: [app]\n" + CONFIG,
    "generators-without-hashes": "resources: [app]\ngeneratorOptions: {disableNameSuffixHash: true, labels: {a: b}}\n"
    + CONFIG,
    "generators-in-a-namespace": "resources: [app]\nnamespace: demo\n" + CONFIG,
    "strategic-merge": """\
        resources: [app]
        patches:
          - patch: |-
              apiVersion: apps/v1
              kind: Deployment
              metadata: {name: web}
              spec:
                replicas: 2
                strategy: null
                template:
                  spec:
                    tolerations: [{key: b}]
                    containers:
                      - name: web
                        command: [c]
                        env: [{name: D, value: d}, {name: B, value: b}, {name: A, $patch: delete}]
                        ports: [{name: admin, containerPort: 9901}, {name: rpc, containerPort: 9090}]
                        envFrom: [{configMapRef: {name: other}}]
                        volumeMounts: [{name: more, mountPath: /more}]
                        readinessProbe: null
                      - name: sidecar
                        image: busybox
                        env: [{name: X, value: null, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
                    volumes: [{name: more, emptyDir: {}}]
          - patch: |-
              apiVersion: v1
              kind: Service
              metadata: {name: web}
              spec: {ports: [{port: 82, name: new}, {port: 81, name: renamed}]}
        """,
    "merge-patch-of-other-kinds": """\
        resources: [app]
        patches:
          - patch: |-
              apiVersion: networking.istio.io/v1
              kind: VirtualService
              metadata: {name: web, annotations: {seen: "yes"}}
              spec:
                hosts: null
                http: [{route: [{destination: {host: other}}]}]
        """,
    "json-patch": """\
        resources: [app]
        patches:
          - target: {version: v1, kind: Service, name: "w.*"}
            patch: |-
              - {op: test, path: /spec/ports/0/port, value: 80}
              - {op: add, path: /spec/ports/-, value: {port: 9}}
              - {op: add, path: /spec/ports/0, value: {port: 7}}
              - {op: replace, path: /metadata/annotations/a~1b, value: "2"}
              - {op: remove, path: /spec/ports/1}
              - {op: copy, from: /spec/ports/0, path: /spec/ports/-}
              - {op: move, from: /spec/selector/app, path: /spec/selector/name}
        """,
    "patch-of-a-file-for-many": """\
        resources: [app]
        patches:
          - path: annotate.yaml
            target: {labelSelector: "tier=1,!absent"}
          - path: annotate.yaml
            target: {group: networking.istio.io}
        """,
    "patch-that-deletes": """\
        resources: [app]
        patches:
          - patch: "{$patch: delete, apiVersion: v1, kind: ServiceAccount, metadata: {name: web}}"
          - target: {kind: PodDisruptionBudget}
            patch: "{$patch: delete, apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: any}}"
        """,
    "patch-that-replaces": """\
        resources: [app]
        patches:
          - patch: |-
              apiVersion: v1
              kind: Service
              metadata: {name: web}
              spec: {$patch: replace, selector: {app: new}}
        """,
    "components": """\
        resources: [app]
        components: [component]
        configMapGenerator: [{name: settings, literals: [A=1, Z=26], options: {disableNameSuffixHash: true}}]
        labels: [{pairs: {after: component}}]
        """,
    "two-variants-of-one-base": "resources: [v1, v2, more]\nnamespace: demo",
    "names-that-begin-alike": "resources: [alike.yaml]",
    "patch-that-deletes-elements-of-lists": """\
        resources: [app]
        patches:
          - patch: |-
              apiVersion: apps/v1
              kind: Deployment
              metadata: {name: web}
              spec:
                template:
                  spec:
                    containers: [{name: web, volumeMounts: [{mountPath: /data, $patch: delete}]}]
                    volumes: [{name: data, $patch: delete}]
        """,
    "patch-that-deletes-by-names": """\
        resources: [alike.yaml]
        patches:
          - target: {name: web|web-2}
            patch: "{$patch: delete, apiVersion: any, kind: any, metadata: {name: any}}"
        """,
    "patch-by-the-name-before-a-suffix": """\
        resources: [v1, v2]
        patches:
          - target: {kind: Deployment, name: web}
            patch: '[{"op": "add", "path": "/spec/paused", "value": true}]'
        """,
}

FILES = {
    "app/app.yaml": APP,
    "app/kustomization.yaml": "resources: [app.yaml]",
    "text.txt": "hello\n  <world> & more\n",
    "variables.env": "# a comment\nX=1\n\nY=a b\nW=\n",
    "annotate.yaml": "apiVersion: any/v1\nkind: Any\nmetadata: {name: any, annotations: {note: here}}\n",
    "alike.yaml": "---\n".join(
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: {space}}}\n"
        for space in ("ns", "ns-a")
        for name in ("web-2", "web", "web.2", "webs")
    ),
    "component/kustomization.yaml": """\
        apiVersion: kustomize.config.k8s.io/v1alpha1
        kind: Component
        resources: [more.yaml]
        configMapGenerator: [{name: settings, behavior: merge, literals: [A=2, M=13]}]
        patches:
          - patch: "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {P: '16'}}"
        """,
    "component/more.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\n",
    "more/kustomization.yaml": "resources: [more.yaml]",
    "more/more.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n",
    "v1/kustomization.yaml": "resources: [../app]\nnameSuffix: -v1\nlabels: [{pairs: {v: v1}, includeSelectors: true}]",
    "v2/kustomization.yaml": "resources: [two.yaml]\nnameSuffix: -v2\nreplicas: [{name: web, count: 2}]",
    "v2/two.yaml": APP.split("---")[0]
    + "---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\n"
    "spec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}\n",
}
