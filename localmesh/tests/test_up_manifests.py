"""What manifests say, in a copy that runs: volumes, secrets, strategies, addresses, and what is refused."""

import contextlib
from pathlib import Path

from checkouts import deployment, eventually, service


def test_an_unsupported_field_is_refused_before_anything_starts(new_checkout):
    """The error names the file, the resource and the field, of Kubernetes' kinds and of Istio's."""
    demo = new_checkout()
    file = "k8s/overlays/laptop/web.yaml"
    good = (demo.folder / file).read_text()
    demo.write(file, good.replace("terminationGracePeriodSeconds", "shareProcessNamespace: true\n      hostNetwork"))
    done = demo.run("up", "--detach", check=False)
    assert done.returncode == 1
    assert f"error: {file}: Deployment demo/web: spec.template.spec." in done.stderr
    demo.write(file, good)
    ingress = (demo.folder / "istio/base/ingress.yaml").read_text()
    demo.write("istio/base/ingress.yaml", ingress.replace("retries: {attempts: 0}", "retries: {atempts: 0}"))
    done = demo.run("up", "--detach", check=False)
    assert "istio/base/ingress.yaml: VirtualService demo/ingress: spec.http[0].retries.atempts" in done.stderr
    assert "Traceback" not in done.stderr
    assert demo.processes() == []


def test_a_secret_that_is_not_there_is_named_with_where_to_put_it(new_checkout):
    """A Secret may come from the state folder; a volume of it is a folder that a variable names."""
    demo = new_checkout(replicas=1)
    volume = "volumeMounts: [{name: my-key, mountPath: /keys}]"
    text = deployment("web", 1, more=f"    {volume}\nvolumes: [{{name: my-key, secret: {{secretName: signing}}}}]\n")
    text = text.replace(
        "- {name: UPSTREAM", "- {name: KEYS, value: $(LOCALMESH_VOLUME_MY_KEY)}\n            - {name: UPSTREAM"
    )
    demo.write("k8s/overlays/laptop/web.yaml", text + service("web"))
    done = demo.run("up", "--detach", check=False)
    assert "needs the Secret signing" in done.stderr
    folder = demo.home / "secrets" / "signing"
    assert str(folder) in done.stderr
    folder.mkdir(parents=True)
    (folder / "1.pem").write_text("key")
    demo.up()
    keys = Path(demo.get("/environment")["environment"]["KEYS"])
    assert [file.name for file in keys.iterdir() if not file.name.startswith(".")] == ["1.pem"]
    assert (keys / "1.pem").stat().st_mode & 0o777 == 0o600


def test_volumes_follow_edits_while_the_process_goes_on(new_checkout):
    """As in a cluster: what a ConfigMap or a Secret says now is in the volume, and no replica was replaced."""
    demo = new_checkout(replicas=1)
    volumes = "[{name: rules, configMap: {name: rules}}, {name: my-key, secret: {secretName: signing}}]"
    mounts = "[{name: rules, mountPath: /rules}, {name: my-key, mountPath: /keys}]"
    text = deployment("web", 1, more=f"    volumeMounts: {mounts}\nvolumes: {volumes}\n")
    text = text.replace(
        "- {name: UPSTREAM",
        "- {name: KEYS, value: $(LOCALMESH_VOLUME_MY_KEY)}\n"
        "            - {name: RULES, value: $(LOCALMESH_VOLUME_RULES)}\n            - {name: UPSTREAM",
    )
    rules = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: rules}\ndata: {%s}\n"
    manifest = text + service("web")
    demo.write("k8s/overlays/laptop/web.yaml", manifest + rules % "most: '1', least: '0'")
    secret = demo.home / "secrets" / "signing"
    secret.mkdir(parents=True)
    (secret / "1.pem").write_text("key")
    demo.up()
    before = demo.replicas()
    environment = demo.get("/environment")["environment"]

    def files(variable):
        folder = Path(environment[variable])
        with contextlib.suppress(FileNotFoundError):  # in the middle of a swap, as in a cluster
            return {file.name: file.read_text() for file in folder.iterdir() if not file.name.startswith(".")}

    assert files("RULES") == {"most": "1", "least": "0"}
    demo.write("k8s/overlays/laptop/web.yaml", manifest + rules % "most: '2'")
    eventually(lambda: files("RULES") == {"most": "2"})
    (secret / "2.pem").write_text("another")
    eventually(lambda: files("KEYS") == {"1.pem": "key", "2.pem": "another"})
    (secret / "1.pem").unlink()
    eventually(lambda: files("KEYS") == {"2.pem": "another"})
    assert demo.replicas() == before


def test_recreate_stops_the_old_before_the_new_starts(new_checkout):
    """The manifest's strategy decides: with Recreate two processes never run at the same time."""
    demo = new_checkout(replicas=1)
    text = deployment("web", 1).replace("  replicas: 1", "  replicas: 1\n  strategy: {type: Recreate}")
    demo.write("k8s/overlays/laptop/web.yaml", text + service("web"))
    demo.up("--access-log")
    demo.run("restart", "web")
    lines = (demo.home / "logs" / "web-0.log").read_text().splitlines()
    assert lines == ["serving web-0", "stopped web-0", "serving web-0"]
    demo.get("/seen")
    eventually(lambda: "/seen" in demo.run("logs", "access").stdout)


def test_without_addresses_of_their_own_replicas_get_free_ports(new_checkout):
    """Where the system has 127.0.0.1 only (macOS), everything works with free ports instead."""
    demo = new_checkout()
    demo.up(LOCALMESH_SINGLE_ADDRESS="1")
    ports = [replica["http"].split(":") for replica in demo.replicas()]
    assert {ip for ip, _ in ports} == {"127.0.0.1"}
    assert len({port for _, port in ports}) == 2
    variables = demo.get("/environment")["environment"]
    assert variables["WEB_SERVICE_HOST"] == "127.0.0.1"
    assert variables["WEB_SERVICE_PORT"] not in {port for _, port in ports}
    demo.run("restart", "web")
    assert demo.get()["replica"].startswith("web-")
