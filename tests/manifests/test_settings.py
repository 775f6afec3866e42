"""Settings are documented data: code, READMEs and manifests say the same."""

import importlib
import re

import pytest
import yaml

import runtime.settings
from localmesh.kustomize import render
from product import ROOT
from runtime.live import parse_settings

SERVICES = {
    "gateway": "gateway",
    "inference": "services/inference",
    "payment": "services/payment",
    "frontend": "services/frontend",
}


def settings_of(service):
    return importlib.import_module(f"{service}.settings").Settings


def live_of(service):
    return getattr(importlib.import_module(f"{service}.settings"), "LiveSettings", runtime.settings.LiveSettings)


def names_of(service):
    return {f"{service.upper()}_{name.upper()}" for name in settings_of(service).model_fields}


@pytest.mark.parametrize("service", SERVICES)
def test_each_setting_is_in_the_readmes_table(service):
    """The table in the service's README has every setting, with its default, and no other."""
    text = (ROOT / SERVICES[service] / "README.md").read_text()
    rows = dict(re.findall(rf"^\| `({service.upper()}_[A-Z0-9_]+)` \| ([^|]*) \|", text, re.MULTILINE))
    assert set(rows) == names_of(service)
    for name, field in settings_of(service).model_fields.items():
        assert rows[f"{service.upper()}_{name.upper()}"].strip().strip("`") == default_of(field), name


def default_of(field):
    if field.is_required():
        return ""
    return str(field.default).lower() if isinstance(field.default, bool) else str(field.default)


@pytest.mark.parametrize("service", SERVICES)
def test_each_live_setting_is_in_the_readmes_table(service):
    """Live settings have a table of their own, with the names of their files."""
    text = (ROOT / SERVICES[service] / "README.md").read_text()
    (table,) = re.findall(r"^\| live setting \| default \| meaning \|\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.MULTILINE)
    rows = dict(re.findall(r"^\| `([a-z0-9_]+)` \| `([^`]*)` \|", table, re.MULTILINE))
    assert rows == {name: default_of(field) for name, field in live_of(service).model_fields.items()}


@pytest.mark.parametrize("service", SERVICES)
def test_each_setting_says_what_it_is(service):
    """Every field has a docstring, and no setting is in two places."""
    fields = settings_of(service).model_fields
    live = live_of(service).model_fields
    assert [name for name, field in (fields | live).items() if not field.description] == []
    assert fields.keys() & live.keys() == set()


OVERLAYS = sorted(path.parent.name for path in ROOT.glob("k8s/overlays/*/kustomization.yaml"))


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("service", SERVICES)
def test_live_settings_are_mounted_and_complete(service, overlay):
    """ConfigMap SERVICE-live has every live setting with a value that is accepted, where SERVICE_LIVE points."""
    documents = [dict(one) for one in render(ROOT / "k8s" / "overlays" / overlay)]
    named = {(one["kind"], one["metadata"]["name"]): one for one in documents}
    data = named["ConfigMap", f"{service}-live"]["data"]
    assert data.keys() == live_of(service).model_fields.keys()
    parse_settings(live_of(service), {key: value.encode() for key, value in data.items()})
    folder = named["ConfigMap", service]["data"][f"{service.upper()}_LIVE"]
    pods = [
        one["spec"]["template"]["spec"]
        for one in documents
        if one["kind"] == "Deployment" and one["spec"]["template"]["metadata"]["labels"]["app"] == service
    ]
    assert pods
    for pod in pods:
        (volume,) = [one["name"] for one in pod["volumes"] if one.get("configMap", {}).get("name") == f"{service}-live"]
        (container,) = pod["containers"]
        assert {"name": volume, "mountPath": folder, "readOnly": True} in container["volumeMounts"]
        environment = {one["name"]: one.get("value") for one in container["env"]}
        assert environment.get(f"{service.upper()}_LIVE", "") in ("", "$(LOCALMESH_VOLUME_LIVE)")


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_manifests_set_only_what_exists(overlay):
    """No environment variable of a rendered manifest is unknown to the service that gets it."""
    known = {name for service in SERVICES for name in names_of(service)}
    prefixes = tuple(f"{service.upper()}_" for service in SERVICES)
    text = yaml.safe_dump_all([dict(one) for one in render(ROOT / "k8s" / "overlays" / overlay)])
    used = set(re.findall(r"\b[A-Z]+_[A-Z0-9_]+\b", re.sub(r"\$\([A-Z0-9_]+\)", "", text)))
    assert {name for name in used if name.startswith(prefixes)} <= known
