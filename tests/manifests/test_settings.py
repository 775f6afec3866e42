"""Settings are documented data: code, READMEs and manifests say the same."""

import importlib
import re

import pytest
import yaml

from localmesh.kustomize import render
from product import ROOT

SERVICES = {
    "gateway": "gateway",
    "inference": "services/inference",
    "payment": "services/payment",
    "frontend": "services/frontend",
}


def settings_of(service):
    return importlib.import_module(f"{service}.settings").Settings


def names_of(service):
    return {f"{service.upper()}_{name.upper()}" for name in settings_of(service).model_fields}


@pytest.mark.parametrize("service", SERVICES)
def test_each_setting_is_in_the_readmes_table(service):
    """The table in the service's README has every setting, with its default, and no other."""
    text = (ROOT / SERVICES[service] / "README.md").read_text()
    rows = dict(re.findall(rf"^\| `({service.upper()}_[A-Z0-9_]+)` \| ([^|]*) \|", text, re.MULTILINE))
    assert set(rows) == names_of(service)
    for name, field in settings_of(service).model_fields.items():
        default = (
            ""
            if field.is_required()
            else str(field.default).lower()
            if isinstance(field.default, bool)
            else str(field.default)
        )
        assert rows[f"{service.upper()}_{name.upper()}"].strip().strip("`") == default, name


@pytest.mark.parametrize("service", SERVICES)
def test_each_setting_says_what_it_is(service):
    """Every field has a docstring."""
    assert [name for name, field in settings_of(service).model_fields.items() if not field.description] == []


@pytest.mark.parametrize("overlay", sorted(path.parent.name for path in ROOT.glob("k8s/overlays/*/kustomization.yaml")))
def test_manifests_set_only_what_exists(overlay):
    """No environment variable of a rendered manifest is unknown to the service that gets it."""
    known = {name for service in SERVICES for name in names_of(service)}
    prefixes = tuple(f"{service.upper()}_" for service in SERVICES)
    text = yaml.safe_dump_all([dict(one) for one in render(ROOT / "k8s" / "overlays" / overlay)])
    used = set(re.findall(r"\b[A-Z]+_[A-Z0-9_]+\b", re.sub(r"\$\([A-Z0-9_]+\)", "", text)))
    assert {name for name in used if name.startswith(prefixes)} <= known
