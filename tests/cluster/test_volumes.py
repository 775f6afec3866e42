"""What is on a volume outlives its pod."""

from kube import kubectl
from product import eventually
from traffic import Visitors, statuses


def uid(name):
    return kubectl("get", name, "-o", "jsonpath={.metadata.uid}", check=False)


def test_balances_survive_the_databases_pod(product):
    """PostgreSQL's pod is deleted under load: the next one has the same claim, and every credit is where it was."""
    visitors = Visitors.arrive(product, count=4)
    pod, claim = uid("pod/postgres-0"), uid("pvc/data-postgres-0")
    with visitors.reading(20, 30) as finish:
        eventually(lambda: len(visitors.readings) > 20)
        kubectl("delete", "pod", "postgres-0", "--wait=false")
        eventually(lambda: uid("pod/postgres-0") not in ("", pod), 60)
        kubectl("wait", "--for=condition=Ready", "pod/postgres-0", "--timeout=90s")
        answers = finish()
    assert uid("pvc/data-postgres-0") == claim
    assert set(statuses(answers)) <= {201, 409, 503, 504}
    eventually(lambda: product.guest().read().status_code == 201, 60, every=0.5)
    visitors.books_balance(90)


def test_the_books_are_sound(product):
    """`payment audit`, from one of its pods."""
    payment = product.replicas("payment")[0]["name"]
    assert "sound" in kubectl("exec", payment, "-c", "payment", "--", "python", "-m", "payment", "audit")
