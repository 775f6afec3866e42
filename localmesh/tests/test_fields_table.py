"""The table of fields says what the code does."""

from pathlib import Path

from localmesh.translate.table import markdown

TABLE = Path(__file__).parents[1] / "FIELDS.md"


def test_the_table_is_up_to_date():
    """If not: `.venv/bin/python -m localmesh.translate.table > localmesh/FIELDS.md`."""
    assert TABLE.read_text(encoding="utf-8") == markdown()


def test_the_table_has_what_a_reader_looks_for():
    """A translated field, one of a list, and one that is refused with what to do instead."""
    lines = markdown().splitlines()
    assert "| `spec.mtls.mode` | translated |" in lines
    assert "| `spec.jwtRules[].issuer` | translated |" in lines
    assert any(line.startswith("| `spec.rules[].from[].source.notPrincipals[]` |") for line in lines)
    assert any(line.startswith("| `spec.provider` | refused: ") for line in lines)
