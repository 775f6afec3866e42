"""`python -m localmesh`: somebody's own services, from a folder of Kubernetes and Istio YAML."""

from __future__ import annotations

from localmesh.product import Product

PRODUCT = Product(
    name="localmesh",
    summary="Services of a folder of Kubernetes and Istio YAML on this machine: processes, one Envoy as the mesh.",
    overlay=".",
    scenarios="scenarios",
    home=".localmesh",
    env_prefix="LOCALMESH",
    reference="localmesh.__main__:PRODUCT",
)


def main() -> None:
    """Run the command that the arguments say."""
    from localmesh.cli import run

    run(PRODUCT)


if __name__ == "__main__":
    main()
