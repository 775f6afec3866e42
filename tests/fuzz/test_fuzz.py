"""Random documents of Istio's CRDs mean what istiod says, or are refused by name: no crash, no silent difference."""

from __future__ import annotations

import pytest
from fuzz import corpus, documents
from fuzz.judging import fault
from fuzz.translation import translated

_CORPUS = list(corpus.entries())


@pytest.mark.parametrize("kind", sorted({name.split()[1] for name in documents.KINDS}))
def test_recorded_documents_mean_the_same(kind):
    """As many for each kind; `make fuzz` has fresh ones."""
    entries = [one for one in _CORPUS if one[1][-1]["kind"] == kind]
    assert entries
    problems = {
        number: fault(translated(folder, documents.callers(number)), theirs) for number, folder, theirs in entries
    }
    assert {number: problem for number, problem in problems.items() if problem} == {}


def test_enough_is_translated():
    """A generator whose documents are all refused would show nothing."""
    assert len(_CORPUS) == 200
    assert sum(isinstance(theirs, dict) for *_, theirs in _CORPUS) > 120
