"""The Helm chart, as `helm template` renders it: what Kubernetes takes, and what the docs promise."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.conftest import ROOT
from tests.deployment.process_list import commands
from tests.deployment.test_nginx import NGINX, certificate

HELM = shutil.which("helm")
pytestmark = pytest.mark.skipif(HELM is None, reason="no helm (helm.sh; .ci/run installs it)")
CHART = ROOT / "deploy/helm/codabox-portal"
NEEDED = {"url": "https://connect.example", "image": {"repository": "registry.example/portal"}}
EVERYTHING = NEEDED | {
    "settings": {"PORTAL_NAME": "Ours", "PORTAL_METRICS_FROM": "10.0.0.0/8"},
    "web": {"autoscaling": {"enabled": False}},
    "nginx": {
        "servers": "server { listen 9443 ssl; }",
        "ports": [9443],
        "serviceType": "ClusterIP",
        "serviceAnnotations": {"a": "b"},
    },
    "networkPolicy": {"alsoFrom": [{"namespaceSelector": {"matchLabels": {"name": "see"}}}]},
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "backup": {"enabled": True, "repository": "registry.example/backup"},
}
# The oldest and the newest that the chart says it is for.
KUBERNETES = ("1.27", "1.37")
Object = dict[str, Any]


def helm(folder: Path, values: Object) -> subprocess.CompletedProcess[str]:
    file = folder / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    command = [str(HELM), "template", "here", str(CHART), "--namespace", "n", "-f", str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def render(folder: Path, values: Object) -> list[Object]:
    done = helm(folder, values)
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader) if one]


@pytest.fixture(scope="module", params=[NEEDED, EVERYTHING], ids=["needed", "everything"])
def objects(request: Any, tmp_path_factory: pytest.TempPathFactory) -> list[Object]:
    return render(tmp_path_factory.mktemp("chart"), request.param)


def the(objects: list[Object], kind: str, name: str) -> Object:
    (found,) = (
        one for one in objects if one["kind"] == kind and one["metadata"]["name"] == f"here-{name}"
    )
    return found


def pods(objects: list[Object]) -> Iterator[tuple[str, Object]]:
    """What each Deployment, Job and CronJob says about its pods, by its name without the release."""
    for one in objects:
        name, spec = one["metadata"]["name"].removeprefix("here-"), one.get("spec", {})
        if one["kind"] in ("Deployment", "Job"):
            yield name, spec["template"]["spec"]
        elif one["kind"] == "CronJob":
            yield name, spec["jobTemplate"]["spec"]["template"]["spec"]


def environment(pod: Object) -> dict[str, str]:
    (container,) = pod["containers"]
    return {one["name"]: one.get("value", "") for one in container.get("env", [])}


@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_takes_every_object(objects: list[Object], version: str) -> None:
    """By its own schemas, strictly: a field that it does not know is refused."""
    kinds = []
    for one in objects:
        kinds.append(one["kind"])
        if one["kind"] != "ServiceMonitor":  # of the Prometheus Operator, which is no part of it
            kubernetes_validate.validate(one, version, strict=True)
    assert kinds.count("Deployment") == 4
    assert kinds.count("PodDisruptionBudget") == 3
    assert {"Job", "Service", "ConfigMap", "NetworkPolicy"} <= set(kinds)


def test_a_field_that_kubernetes_does_not_know_is_refused(objects: list[Object]) -> None:
    web = the(objects, "Deployment", "web")
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailabel": 0}}
    wrong = web | {"spec": web["spec"] | {"strategy": strategy}}
    with pytest.raises(kubernetes_validate.ValidationError, match="maxUnavailabel"):
        kubernetes_validate.validate(wrong, KUBERNETES[0], strict=True)


def test_web_grows_by_load_unless_it_is_given_a_number(tmp_path: Path) -> None:
    grows, fixed = render(tmp_path, NEEDED), render(tmp_path, EVERYTHING)
    hpa = the(grows, "HorizontalPodAutoscaler", "web")["spec"]
    assert hpa["scaleTargetRef"]["name"] == "here-web"
    assert (hpa["minReplicas"], hpa["maxReplicas"]) == (2, 6)
    assert "replicas" not in the(grows, "Deployment", "web")["spec"]
    assert the(fixed, "Deployment", "web")["spec"]["replicas"] == 2
    assert not [one for one in fixed if one["kind"] == "HorizontalPodAutoscaler"]


def test_prometheus_finds_web(tmp_path: Path) -> None:
    monitor = the(render(tmp_path, EVERYTHING), "ServiceMonitor", "web")
    service = the(render(tmp_path, EVERYTHING), "Service", "web")
    assert monitor["apiVersion"] == "monitoring.coreos.com/v1"
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    wanted = monitor["spec"]["selector"]["matchLabels"]
    assert wanted.items() <= service["metadata"]["labels"].items()
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint["port"] in [port["name"] for port in service["spec"]["ports"]]
    assert endpoint["relabelings"] == [{"targetLabel": "job", "replacement": "portal"}]


def test_the_processes_are_those_of_the_docs(objects: list[Object]) -> None:
    told = commands()
    found = {name: pod["containers"][0].get("command") for name, pod in pods(objects)}
    assert [found[name] for name in ("web", "worker", "beat")] == [
        told["web"],
        told["worker"],
        told["beat"],
    ]
    # It migrates, after checks (docs/operations/upgrade.md).
    assert found["migrate"] == ["python", "manage.py", "upgrade"]


def test_of_beat_there_is_exactly_one(objects: list[Object]) -> None:
    beat = the(objects, "Deployment", "beat")["spec"]
    assert beat["replicas"] == 1
    assert beat["strategy"] == {"type": "Recreate"}


def test_the_backup_of_every_night_is_that_of_compose(tmp_path: Path) -> None:
    """The same image target and script, one at a time; a second try of a day has no empty folder."""
    assert not [one for one in render(tmp_path, NEEDED) if one["kind"] == "CronJob"]
    objects = render(tmp_path, EVERYTHING | {"image": {"repository": "r/portal", "tag": "7"}})
    night = the(objects, "CronJob", "backup")["spec"]
    assert (night["schedule"], night["timeZone"]) == ("30 1 * * *", "Europe/Brussels")
    assert night["concurrencyPolicy"] == "Forbid"
    assert night["jobTemplate"]["spec"]["backoffLimit"] == 0
    pod = dict(pods(objects))["backup"]
    assert pod["restartPolicy"] == "Never"
    (container,) = pod["containers"]
    assert container["image"] == "registry.example/backup:7"
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["backup"]
    assert compose["build"]["target"] in (ROOT / "Dockerfile").read_text()
    assert " ".join(container["command"]) == compose["command"]
    (mount,) = (one for one in container["volumeMounts"] if one["mountPath"] == "/backups")
    claim = next(one for one in pod["volumes"] if one["name"] == mount["name"])
    assert claim["persistentVolumeClaim"] == {"claimName": "codabox-portal-backups"}
    # Only this job sees the backups: a portal that is broken into cannot delete them.
    for name, other in pods(objects):
        assert (claim in other["volumes"]) == (name == "backup"), name


def test_no_pod_may_more_than_it_needs(objects: list[Object]) -> None:
    for name, pod in pods(objects):
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["runAsUser"] == 101, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
            assert container["resources"]["limits"]["memory"], name
            assert container["resources"]["requests"], name


def test_every_pod_has_the_time_to_end_its_work(objects: list[Object]) -> None:
    """Longer than granian gives a web process, and the seconds before it is told to end."""
    kill = int(commands()["web"][commands()["web"].index("--workers-kill-timeout") + 1])
    for name, pod in pods(objects):
        wait = pod["containers"][0].get("lifecycle", {}).get("preStop", {})
        seconds = int(wait["exec"]["command"][1]) if wait else 0
        assert pod["terminationGracePeriodSeconds"] >= kill + seconds + 10, name


def test_web_is_asked_whether_it_lives_and_whether_it_is_ready(objects: list[Object]) -> None:
    (container,) = the(objects, "Deployment", "web")["spec"]["template"]["spec"]["containers"]
    assert container["startupProbe"]["httpGet"]["path"] == "/health/live"
    alive, ready = container["livenessProbe"], container["readinessProbe"]
    assert alive["httpGet"] == {"path": "/health/live", "port": "http"}
    assert ready["httpGet"] == {"path": "/health/ready", "port": "http"}
    # A busy one is left alone for a minute; one without a database gets no more requests at once.
    assert alive["periodSeconds"] * alive["failureThreshold"] >= 60
    assert ready["periodSeconds"] * ready["failureThreshold"] <= 10


def test_secrets_are_files_and_owner_and_superuser_are_told_to_their_jobs_alone(
    objects: list[Object],
) -> None:
    page = (ROOT / "docs/operations/environment.md").read_text()
    in_files = page.partition("A secret can lie in a file")[2].partition("\n\n")[0]
    known = set(re.findall(r"^\| `(\w+)`", page, re.MULTILINE)) | {"PORTAL_PROBE_CLIENT"}
    names: set[str] = set()
    for part, pod in pods(objects):
        told = environment(pod)
        names |= set(told)
        assert ("DATABASE_OWNER_URL_FILE" in told) == (part == "migrate")
        assert ("DATABASE_SUPERUSER_URL_FILE" in told) == (part == "backup")
        for name, value in told.items():
            if name.endswith("_FILE") and name not in known:
                assert f"`{name.removesuffix('_FILE')}`" in in_files or name in in_files
                _in_a_volume(pod, value)
            elif name != "POD_IP":
                assert name in known, name
    assert {"PORTAL_SECRET_KEY_FILE", "DATABASE_URL_FILE", "PORTAL_STORAGE_S3_FILE"} <= names


def _in_a_volume(pod: Object, path: str) -> None:
    """The file is an item of a Secret that the container mounts, readable for its group."""
    folder, _slash, name = path.rpartition("/")
    mounts = pod["containers"][0]["volumeMounts"]
    (mount,) = (one for one in mounts if one["mountPath"] == folder)
    (volume,) = (one for one in pod["volumes"] if one["name"] == mount["name"])
    assert mount["readOnly"]
    assert volume["secret"]["defaultMode"] == 0o440
    assert {"key": name, "path": name} in volume["secret"]["items"]


def test_the_portal_starts_with_these_settings(tmp_path: Path) -> None:
    """With files where the pod has the secrets: no sentence about a setting, none unknown."""
    given = {
        "PORTAL_SECRET_KEY": 50 * "s",
        "DATABASE_URL": "postgres://portal:secret@postgres/portal",
        "REDIS_URL": "redis://:secret@redis:6379/0",
        "EMAIL_URL": "smtp+tls://user:password@mail:587",
        "PORTAL_STORAGE_S3": "https://key:secret@s3.example/documents",
        "PORTAL_CHECKPOINTS": "https://key:secret@s3.example/checkpoints",
    }
    for name, value in given.items():
        (tmp_path / name).write_text(f"{value}\n")
    web = the(render(tmp_path, EVERYTHING), "Deployment", "web")["spec"]["template"]["spec"]
    told = environment(web)
    told = {name: value.replace("$(POD_IP)", "10.1.2.3") for name, value in told.items()}
    told = {n: v.replace("/run/secrets/portal", str(tmp_path)) for n, v in told.items()}
    code = (
        "from django.conf import settings as s; print(s.UNKNOWN_ENVIRONMENT, s.ALLOWED_HOSTS,"
        " s.DATABASES['default']['HOST'], s.STORAGES['documents']['OPTIONS']['bucket_name'])"
    )
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", code],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "codabox_portal.settings"}
        | told,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "{} ['connect.example', '10.1.2.3'] postgres documents\n", done.stderr


@pytest.mark.skipif(NGINX is None, reason="no nginx (Debian: apt install nginx-light)")
def test_nginx_has_the_rules_of_docker(objects: list[Object], tmp_path: Path) -> None:
    files = the(objects, "ConfigMap", "nginx")["data"]
    ours = (ROOT / "docker/nginx.conf").read_text().splitlines()
    theirs = files["default.conf"].splitlines()
    other = [line.strip() for line in ours if line not in theirs]
    assert len(other) == 5, "the upstream, two ports and two names of files"
    assert files["api_errors.conf"].strip() == (ROOT / "docker/api_errors.conf").read_text().strip()

    certificate(tmp_path, "tls")
    (tmp_path / "api_errors.conf").write_text(files["api_errors.conf"])
    text = files["default.conf"].replace("/etc/nginx/tls/", f"{tmp_path}/")
    text = text.replace("/etc/nginx/", f"{tmp_path}/").replace("here-web:8000", "127.0.0.1:8000")
    text = text.replace("/var/log/nginx", str(tmp_path)).replace(
        "listen 9443 ssl;",
        f"listen 9443 ssl; ssl_certificate {tmp_path}/tls.crt; ssl_certificate_key {tmp_path}/tls.key;",
    )
    whole = tmp_path / "nginx.conf"
    whole.write_text(
        f"pid {tmp_path}/pid; error_log {tmp_path}/error.log; events {{}} http {{ {text} }}"
    )
    command = [str(NGINX), "-t", "-c", str(whole), "-p", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_nobody_but_nginx_reaches_web(objects: list[Object]) -> None:
    web = the(objects, "Deployment", "web")["spec"]["template"]["metadata"]["labels"]
    nginx = the(objects, "Deployment", "nginx")["spec"]["template"]["metadata"]["labels"]
    policy = the(objects, "NetworkPolicy", "web")["spec"]
    assert policy["podSelector"]["matchLabels"].items() <= web.items()
    assert policy["podSelector"]["matchLabels"].items() - nginx.items()
    (rule,) = policy["ingress"]
    assert rule["from"][0]["podSelector"]["matchLabels"].items() <= nginx.items()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"url": ""}, "Set url to the public address"),
        ({"image": {"repository": ""}}, "Set image.repository"),
        ({"url": "http://connect.example"}, "at '/url'"),
        ({"wbe": {}}, "additional properties 'wbe' not allowed"),
        ({"settings": {"PORTAL_SECRET_KEY": "x"}}, "PORTAL_SECRET_KEY"),
        ({"secrets": {"keys": ["DATABASE_URL", "PORTAL_SECRET_KEY"]}}, "secrets/keys"),
        ({"secrets": {"keys": ["DATABASE_OWNER_URL"]}}, "secrets/keys"),
        ({"nginx": {"ports": [443]}}, "nginx/ports"),
        ({"backup": {"enabled": True}}, "Set backup.repository"),
        ({"backup": {"schedule": "every night"}}, "backup/schedule"),
    ],
)
def test_a_wrong_value_stops_the_chart_with_a_sentence(
    wrong: Object, told: str, tmp_path: Path
) -> None:
    done = helm(tmp_path, NEEDED | wrong)
    assert done.returncode != 0
    assert told in done.stderr
