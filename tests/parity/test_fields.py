"""Every field of Istio's schemas is in the table of fields, and the table says what the code does."""

from parity import cases, fields

from localmesh.translate.documents import REFUSED_KINDS, SHAPES
from localmesh.translate.table import SUPPORTED, markdown, rows

TABLE = cases.FOLDER.parents[1] / "localmesh" / "FIELDS.md"
_SPELLINGS = {
    ("VirtualService", "spec.http[].mirror_percent"),
    ("RequestAuthentication", "spec.jwtRules[].jwks_uri"),
}
"""Second spellings that the schemas have of two fields; localmesh refuses them and names the first."""


def test_the_table_is_up_to_date():
    """If not: `make parity-fields`."""
    assert TABLE.read_text(encoding="utf-8") == markdown(fields.shown())


def test_every_field_of_istios_schemas_is_in_it():
    """By itself, or below one that is refused as a whole."""
    ours = {kind: dict(rows(shape, "spec")) for (_, kind), shape in SHAPES.items()}
    refused = {kind for _, kind in REFUSED_KINDS}

    def is_there(kind, path):
        above = [field for field, found in ours[kind].items() if not found.startswith(SUPPORTED)]
        return path in ours[kind] or any(path.startswith((f"{one}.", f"{one}[", f"{one}{{")) for one in above)

    missing = {(kind, path) for kind, path in fields.of_istio() if kind not in refused and not is_there(kind, path)}
    assert missing == _SPELLINGS


def test_every_supported_field_has_a_case():
    """So istiod's word for it is on record."""
    shown = fields.shown()
    supported = {
        (kind, path) for (_, kind), shape in SHAPES.items() for path, found in rows(shape, "spec") if found == SUPPORTED
    }
    assert supported - shown.keys() == set()


def test_nothing_is_in_it_that_istio_has_not():
    """Its paths are the schemas', but for the free form of an EnvoyFilter's value."""
    known = fields.of_istio()
    above = {(kind, path[:end]) for kind, path in known for end, sign in enumerate(path) if sign in ".[{"}
    ours = {(kind, path) for (_, kind), shape in SHAPES.items() for path, _ in rows(shape, "spec")}
    assert ours - known - above == set()
