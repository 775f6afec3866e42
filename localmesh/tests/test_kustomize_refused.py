"""What the rendering refuses: each error names the file, and the field or the line."""

import pytest

from localmesh.errors import ManifestError
from localmesh.kustomize import render

A = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"

REFUSED = {
    "an unknown field": ("resources: [a.yaml]\nhelmCharts: []", "helmCharts: is not supported"),
    "a field that is out of date": ("resources: [a.yaml]\ncommonLabels: {a: b}", "commonLabels: is not supported"),
    "an unknown key of a field": ("resources: [a.yaml]\nlabels: [{pairs: {a: b}, fields: []}]", r"labels\[0\].fields"),
    "a file that is not there": ("resources: [b.yaml]", r"resources\[0\]: b.yaml does not exist"),
    "the same object twice": ("resources: [a.yaml, again]", r"resources\[1\]: ConfigMap default/a is there already"),
    "a component as a resource": ("resources: [component]", "kind: is Component"),
    "a folder that includes itself": ("resources: [loop]", "includes itself"),
    "a patch of nothing": (
        "resources: [a.yaml]\npatches: [{patch: '{apiVersion: v1, kind: Secret, metadata: {name: a}}'}]",
        r"patches\[0\]: 0 resources match Secret default/a",
    ),
    "a JSON patch for everything": ("resources: [a.yaml]\npatches: [{patch: '[]'}]", "needs a `target`"),
    "a JSON patch that cannot be done": (
        "resources: [a.yaml]\npatches: [{target: {kind: ConfigMap}, patch: '- {op: remove, path: /data/x}'}]",
        "there is no `data`",
    ),
    "a JSON patch that is neither JSON nor a YAML list": (
        "resources: [a.yaml]\npatches: [{target: {kind: ConfigMap}, patch: '[{op: remove}]'}]",
        "what begins with `\\[` must be JSON",
    ),
    "replicas of nothing": ("resources: [a.yaml]\nreplicas: [{name: a, count: 1}]", r"replicas\[0\].name"),
    "a generated object that is there": (
        "resources: [a.yaml]\nconfigMapGenerator: [{name: a}]", "is there already: say `behavior: merge`",
    ),
    "a bare y": ("resources: [yes.yaml]", "yes.yaml: line 4: a bare `y` is a boolean in YAML 1.1"),
    "YAML that cannot be read": ("resources: [bad.yaml]", "bad.yaml: line 2"),
    "a document without a name": ("resources: [nameless.yaml]", "ConfigMap: metadata.name: is missing"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, write):
    """An error says which file, and what in it."""
    kustomization, reason = REFUSED[case]
    folder = write(
        {
            "kustomization.yaml": kustomization,
            "a.yaml": A,
            "again/kustomization.yaml": "resources: [../a.yaml]",
            "component/kustomization.yaml": "kind: Component",
            "loop/kustomization.yaml": "resources: [../loop]",
            "yes.yaml": A + "data: {x: y}\n",
            "bad.yaml": "a: 1\n b: [",
            "nameless.yaml": "apiVersion: v1\nkind: ConfigMap\n",
        }
    )
    with pytest.raises(ManifestError, match=reason) as error:
        render(folder)
    assert str(folder) in str(error.value)
