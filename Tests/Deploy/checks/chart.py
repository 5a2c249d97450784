"""The Helm chart. No cluster is needed: what is checked is what Helm renders."""

import functools
import json
import os
import re
import secrets
import shutil
import tempfile
from pathlib import Path

from . import certificates
from .common import BINARY, DEPLOY, Skipped, documents, fails_only_to_reach, run, said_by

CHART = DEPLOY / "helm/sagamore"
VALUES = {"default": [], **{file.stem: ["--values", str(file)] for file in sorted((CHART / "ci").glob("*.yaml"))}}
# Nobody answers there, and no name has to be looked up.
NOWHERE = ["--set", "postgres.host=127.0.0.1,postgres.port=1,kafka.bootstrap=127.0.0.1:1"]
SECRETS = "/run/secrets/sagamore"


def helm() -> str:
    found = os.environ.get("SAGAMORE_TEST_HELM") or shutil.which("helm")
    if not found:
        raise Skipped("there is no helm on PATH, and SAGAMORE_TEST_HELM names none")
    return found


@functools.cache
def rendered(values: str, *more: str) -> list[dict]:
    """The objects of a release."""
    done = run(helm(), "template", "sagas", CHART, *VALUES[values], *more)
    assert done.returncode == 0, f"helm template with {values}: {done.stderr}"
    return documents(done.stdout)


def objects(values: str, kind: str) -> list[dict]:
    return [each for each in rendered(values) if each["kind"] == kind]


def pods(values: str):
    """The templates of pods, with the names of their objects."""
    for each in rendered(values):
        if "template" in each.get("spec", {}):
            yield each["metadata"]["name"], each["spec"]["template"]


def chart_is_accepted() -> None:
    assert len(VALUES) >= 3, "there are too few values to test with"
    for values in VALUES.values():
        said_by(helm(), "lint", "--strict", CHART, *values)
    version = said_by(BINARY, "--version").split()[-1]
    assert f'appVersion: "{version}"' in (CHART / "Chart.yaml").read_text(), f"the program is {version}"
    kinds = {each["kind"] for each in rendered("full-values")}
    optional = {"NetworkPolicy", "ServiceMonitor", "PrometheusRule", "PodDisruptionBudget"}
    assert optional <= kinds, f"the full values leave out {optional - kinds}"
    assert not kinds & {"Secret", "Role", "RoleBinding"}, f"the chart makes {kinds}"


def values_are_judged() -> None:
    """The schema refuses names that are not there, types that do not fit, and secrets."""
    for wrong, place in {
        "replicaCuont=2": "replicaCuont",
        "postgres.tls.modus=require": "/postgres/tls",
        "networkPolicy.client=x": "/networkPolicy",
        "replicaCount=two": "/replicaCount",
        "kafka.enabled=perhaps": "/kafka/enabled",
        "postgres.port=0": "/postgres/port",
        "postgres.tls.mode=verify": "/postgres/tls/mode",
        "postgres.passwordSecret=secret": "/postgres/passwordSecret",
        "config.postgres.password=secret": "/config/postgres/password",
        r"kafka.properties.sasl\.password=secret": "/kafka/properties/sasl.password",
        "config.grpc.port=1": "/config/grpc/port",
    }.items():
        done = run(helm(), "template", CHART, "--set", wrong)
        assert done.returncode and "schema" in done.stderr, f"{wrong} is accepted"
        assert place.strip("/").split("/")[-1] in done.stderr, f"{wrong}: {done.stderr}"
    done = run(helm(), "template", CHART, "--set", "grpc.tls.secret=")
    assert done.returncode and "plainTextForAll" in done.stderr, "no encryption is accepted without a word"


def pods_are_confined() -> None:
    for values in VALUES:
        for name, template in pods(values):
            spec = template["spec"]
            assert spec["automountServiceAccountToken"] is False, f"{name} has a token"
            assert spec["securityContext"]["runAsNonRoot"] is True, f"{name} may run as root"
            assert spec["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault", f"{name} has no seccomp"
            volumes = {volume["name"] for volume in spec["volumes"]}
            for container in spec["containers"]:
                context = container["securityContext"]
                assert context["readOnlyRootFilesystem"] is True, f"{name}: the root file system is writable"
                assert context["allowPrivilegeEscalation"] is False, f"{name} may get privileges"
                assert context["capabilities"]["drop"] == ["ALL"], f"{name} has capabilities"
                assert container["resources"]["limits"]["memory"], f"{name} has no limit"
                assert {mount["name"] for mount in container["volumeMounts"]} == volumes, f"{name}: {volumes}"
                assert not container["image"].endswith(":"), f"{name}: the image has no version"


def selectors_find_the_pods() -> None:
    for values in VALUES:
        (deployment,) = objects(values, "Deployment")
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        ports = {port["name"] for port in deployment["spec"]["template"]["spec"]["containers"][0]["ports"]}
        selectors = [(deployment, deployment["spec"]["selector"]["matchLabels"])]
        for service in objects(values, "Service"):
            selectors.append((service, service["spec"]["selector"]))
            assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports
        for budget in objects(values, "PodDisruptionBudget"):
            selectors.append((budget, budget["spec"]["selector"]["matchLabels"]))
        for policy in objects(values, "NetworkPolicy"):
            selectors.append((policy, policy["spec"]["podSelector"]["matchLabels"]))
            for name, template in pods(values):
                wanted = policy["spec"]["podSelector"]["matchLabels"].items()
                assert wanted <= template["metadata"]["labels"].items(), f"the policy does not cover {name}"
        for each, selector in selectors:
            assert selector.items() <= labels.items(), f"{each['kind']} {each['metadata']['name']}: {selector}"
        check_jobs_are_apart(values)
        for monitor in objects(values, "ServiceMonitor"):
            wanted = monitor["spec"]["selector"]["matchLabels"].items()
            found = [each for each in objects(values, "Service") if wanted <= each["metadata"]["labels"].items()]
            assert len(found) == 1 and found[0]["spec"]["publishNotReadyAddresses"], "a standby is not scraped"


def check_jobs_are_apart(values: str) -> None:
    """No Service leads to the check before an upgrade."""
    for job in objects(values, "Job"):
        labels = job["spec"]["template"]["metadata"]["labels"].items()
        for service in objects(values, "Service"):
            assert not service["spec"]["selector"].items() <= labels, f"{service['metadata']['name']} leads to the Job"


def updates_come_to_an_end() -> None:
    """Only one pod is ever ready: nothing may wait for more."""
    for values in VALUES:
        (deployment,) = objects(values, "Deployment")
        spec, pod = deployment["spec"], deployment["spec"]["template"]["spec"]
        unavailable = spec["strategy"]["rollingUpdate"]["maxUnavailable"]
        assert unavailable in ("100%", spec["replicas"]), f"{values}: the active pod is never replaced"
        assert spec["strategy"]["rollingUpdate"]["maxSurge"] in ("100%", spec["replicas"]), f"{values}: nobody waits"
        sleep = int(pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
        assert pod["terminationGracePeriodSeconds"] >= sleep + 30, f"{values}: a stop in order is cut short"
        probes = {key: probe["httpGet"]["path"] for key, probe in pod["containers"][0].items() if key.endswith("Probe")}
        assert probes == {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
        for budget in objects(values, "PodDisruptionBudget"):
            assert budget["spec"].get("maxUnavailable") == "100%", f"{values}: a machine can never be drained"


def chart_holds_the_same_alerts() -> None:
    (rule,) = objects("full-values", "PrometheusRule")
    (alerts,) = documents((DEPLOY / "prometheus/alerts.yaml").read_text())
    assert rule["spec"] == alerts, "the rule is not deploy/prometheus/alerts.yaml"
    (shown,) = [each for each in objects("full-values", "ConfigMap") if "sagamore.json" in each["data"]]
    dashboard = json.loads((DEPLOY / "grafana/sagamore.json").read_text())
    assert json.loads(shown["data"]["sagamore.json"]) == dashboard, "the dashboard is another one"


def chart_configures_sagamore() -> None:
    """The configurations are right but for a database and brokers that are not there."""
    for values in VALUES:
        release = rendered(values, *NOWHERE)
        (deployment,) = [each for each in release if each["kind"] == "Deployment"]
        pod = deployment["spec"]["template"]["spec"]
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        name = volumes["configuration"]["configMap"]["name"]
        maps = {each["metadata"]["name"]: each["data"] for each in release if each["kind"] == "ConfigMap"}
        if f"{name}-check" in maps:
            assert maps[f"{name}-check"] == maps[name], f"{values}: something else is checked before an upgrade"
        environment = {each["name"]: each.get("value", "pod-1") for each in pod["containers"][0]["env"]}
        with tempfile.TemporaryDirectory(prefix="sagamore-chart-") as folder:
            write_secrets(Path(folder) / "secrets", volumes["secrets"]["projected"]["sources"])
            for file, text in maps[name].items():
                (Path(folder) / file).write_text(text.replace(SECRETS, f"{folder}/secrets"))
            named = re.findall(rf"{SECRETS}/(\S+)", maps[name]["sagamore.yaml"])
            for path in named:
                assert (Path(folder) / "secrets" / path).exists(), f"{values}: no Secret becomes {path}"
            try:
                fails_only_to_reach(Path(folder) / "sagamore.yaml", environment)
            except AssertionError as error:
                raise AssertionError(f"{values}: {error}") from None


def write_secrets(folder: Path, sources: list[dict]) -> None:
    """What Secrets might hold, as files where the pod has them."""
    made = {}
    for source in sources:
        for item in source["secret"]["items"]:
            file = folder / item["path"]
            file.parent.mkdir(parents=True, exist_ok=True)
            if file.suffix in (".crt", ".key"):
                made.setdefault(file.parent, certificates.pair())
                file.write_text(made[file.parent][file.suffix == ".key"])
            elif file.suffix == ".json":
                file.write_text(certificates.key_set())
            else:
                file.write_text(secrets.token_hex(32))
            file.chmod(0o400)
