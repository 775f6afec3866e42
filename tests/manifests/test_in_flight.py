"""The component autoscaling-in-flight: the adapter's rule and the autoscalers speak of one metric, on both tiers."""

import promql_parser
import yaml

from inkmesh.product import PRODUCT
from localmesh.kustomize import render
from localmesh.manifests.autoscaler import read_autoscaler
from localmesh.manifests.model import PodsTarget
from product import ROOT
from rendered import combination

FOLDER = ROOT / "k8s/components/autoscaling-in-flight"


def test_the_adapter_knows_what_the_autoscalers_ask_for(tmp_path):
    """Its one rule makes their metric, of the counter that a laptop's replicas are asked for."""
    (rule,) = yaml.safe_load((FOLDER / "adapter-values.yaml").read_text())["rules"]["custom"]
    documents = render(combination(tmp_path, ("autoscaling-in-flight",)))
    scalers = [read_autoscaler(one) for one in documents if one.kind == "HorizontalPodAutoscaler"]
    by_flight = {one.name: target.name for one in scalers for target in one.metrics if isinstance(target, PodsTarget)}
    assert set(by_flight) == {"gateway", "inference-v1", "inference-v2", "inference-v3"}
    assert set(by_flight.values()) == {rule["name"]["as"]}
    assert PRODUCT.pod_metrics[rule["name"]["as"]] in rule["metricsQuery"]


def test_the_rules_query_parses():
    """With what the adapter puts into it."""
    (rule,) = yaml.safe_load((FOLDER / "adapter-values.yaml").read_text())["rules"]["custom"]
    query = rule["metricsQuery"].replace("<<.GroupBy>>", "replica")
    query = query.replace("<<.LabelMatchers>>", 'namespace="inkmesh",replica=~"gateway-1|gateway-2"')
    assert promql_parser.parse(query)
