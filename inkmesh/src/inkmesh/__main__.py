"""The command `inkmesh`."""

from __future__ import annotations


def main() -> None:
    """Run the command that the arguments say."""
    from inkmesh.product import PRODUCT
    from localmesh.cli import run

    run(PRODUCT)


if __name__ == "__main__":
    main()
