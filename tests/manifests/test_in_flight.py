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
    (rule,) = yaml.safe_load((FOLDER / "adapter/config.yaml").read_text())["rules"]
    documents = render(combination(tmp_path, ("autoscaling-in-flight",)))
    scalers = [read_autoscaler(one) for one in documents if one.kind == "HorizontalPodAutoscaler"]
    by_flight = {one.name: target.name for one in scalers for target in one.metrics if isinstance(target, PodsTarget)}
    assert set(by_flight) == {"gateway", "inference-v1", "inference-v2", "inference-v3"}
    assert set(by_flight.values()) == {rule["name"]["as"]}
    assert PRODUCT.pod_metrics[rule["name"]["as"]] in rule["metricsQuery"]


def test_the_rules_query_parses():
    """With what the adapter puts into it."""
    (rule,) = yaml.safe_load((FOLDER / "adapter/config.yaml").read_text())["rules"]
    query = rule["metricsQuery"].replace("<<.GroupBy>>", "replica")
    query = query.replace("<<.LabelMatchers>>", 'namespace="inkmesh",replica=~"gateway-1|gateway-2"')
    assert promql_parser.parse(query)


def test_prometheus_lets_the_adapter_in(tmp_path):
    """Its pod has the labels and the namespace that the network policy of Prometheus names."""
    (pods,) = [one for one in render(FOLDER / "adapter") if one.kind == "Deployment"]
    documents = render(combination(tmp_path, ("monitoring", "network-policies")))
    (policy,) = [one for one in documents if one.kind == "NetworkPolicy" and one.name == "prometheus-adapter"]
    (rule,) = policy["spec"]["ingress"]
    (source,) = rule["from"]
    named = pods["metadata"]["namespace"]
    assert source["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": named}
    assert source["podSelector"]["matchLabels"].items() <= pods["spec"]["template"]["metadata"]["labels"].items()
