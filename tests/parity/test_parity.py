"""Each case's documents mean to localmesh what they mean to istiod: clusters, endpoints and routes, per caller."""

from __future__ import annotations

import pytest
from parity import cases, normalise, registry

from localmesh.translate import translate_for

_ALL = [(name, caller) for name in cases.names() for caller in cases.load(name).callers]


@pytest.mark.parametrize(("name", "caller"), _ALL, ids=[f"{name}-{caller}" for name, caller in _ALL])
def test_same_as_istiod(name, caller):
    """A caller's Envoy is told the same, resource by resource."""
    case = cases.load(name)
    made = translate_for(registry.mesh(case.documents, mtls=case.mtls), registry.callers()[caller])
    ours = normalise.answer(made.clusters, made.endpoints, made.routes, made.listeners)
    theirs = cases.expected(name, caller)
    assert sorted(ours) == sorted(theirs)
    for key in theirs:
        assert ours[key] == theirs[key], key


def test_every_case_says_what_it_shows():
    """A case begins with a comment for its reader."""
    for name in cases.names():
        first = (cases.FOLDER / "cases" / f"{name}.yaml").read_text().splitlines()[0]
        assert first.startswith("# "), name
