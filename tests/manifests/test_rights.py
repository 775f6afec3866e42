"""Who may ask the API server for what: the Job that makes keys, for its own Secrets, and nobody else for anything."""

import pytest

from rendered import OVERLAYS

NAMES = [*(overlay.name for overlay in OVERLAYS), "all components"]


def secrets_named(documents):
    """What the keys Job is told to make, as (namespace, name)."""
    job = next(one for one in documents if (one.kind, one.name) == ("Job", "keys"))
    args = job["spec"]["template"]["spec"]["containers"][0]["args"]
    return {tuple(value.split("/")) for value in args if "/" in value}


@pytest.mark.parametrize("name", NAMES)
def test_rights_are_the_keys_jobs_alone(rendered, name):
    """Nothing over the whole cluster; Roles let one account look at its own Secrets, and make new ones."""
    documents = rendered[name]
    kinds = {one.kind for one in documents}
    assert not {"ClusterRole", "ClusterRoleBinding"} & kinds
    seen = set()
    for role in (one for one in documents if one.kind == "Role"):
        for rule in role["rules"]:
            assert (rule["apiGroups"], rule["resources"]) == ([""], ["secrets"])
            # A name that is not there yet cannot be named in a rule.
            assert rule["verbs"] == (["get"] if "resourceNames" in rule else ["create"])
            seen |= {(role.identity.namespace, secret) for secret in rule.get("resourceNames", [])}
    for binding in (one for one in documents if one.kind == "RoleBinding"):
        assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "keys", "namespace": "inkmesh"}]
    if "Role" in kinds:
        assert seen == secrets_named(documents)


@pytest.mark.parametrize("name", ["plain", "mesh"])
def test_every_secret_that_is_mounted_is_made(rendered, name):
    """A beginner's `kubectl apply -k` is enough: no pod waits for a Secret that nobody makes."""
    documents = rendered[name]
    mounted = {
        (one.identity.namespace, volume["secret"]["secretName"])
        for one in documents
        if one.kind in ("Deployment", "StatefulSet")
        for volume in one["spec"]["template"]["spec"].get("volumes", [])
        if "secret" in volume
    }
    assert mounted <= secrets_named(documents)


def test_no_secret_is_in_the_repository(rendered):
    """None is rendered anywhere."""
    assert [one.name for documents in rendered.values() for one in documents if one.kind == "Secret"] == []
