"""The proxy before the service: nginx.conf, what compose makes of it, and the Ingress hold one another's limits."""

from __future__ import annotations

import re
import subprocess

from tests.lib.manifests import DEPLOY, SERVICES, of_kind

NGINX = (DEPLOY / "nginx.conf").read_text()
MIB = {"m": 1, "g": 1024}


def mib(text: str) -> int:
    return int(text[:-1]) * MIB[text[-1]]


def location(path: str) -> str:
    return NGINX.split(f"location {path} {{")[1].split("}")[0]


def test_the_proxy_may_hold_no_more_than_its_container_has():
    """nginx reads a whole body into memory before the service is asked who sent it."""
    batch, others = location("= /v1/risk/batch"), NGINX.split("location")[0] + NGINX.split("server_name risk")[1]
    limits = {zone: int(number) for zone, number in re.findall(r"limit_conn (\w+) (\d+);", NGINX)}
    for zone in ("connections", "all_connections"):
        assert f"limit_conn {zone} {limits[zone]};" in batch, "one limit in a location replaces those outside"
    for text in (batch, others):
        held, largest = (
            re.search(rf"{name} (\w+);", text)[1] for name in ("client_body_buffer_size", "client_max_body_size")
        )
        assert held == largest, "what is larger than its buffer would go into a file"
    number, size = re.search(r"proxy_buffers (\d+) (\d+)k;", NGINX).groups()
    answers = limits["all_connections"] * int(number) * int(size) // 1024
    bodies = limits["all_connections"] * mib(re.search(r"client_body_buffer_size (\w+);", others)[1])
    batches = limits["all_batches"] * mib(re.search(r"client_body_buffer_size (\w+);", batch)[1])
    assert bodies + batches + answers <= 0.8 * mib(SERVICES["proxy"]["deploy"]["resources"]["limits"]["memory"])


def test_the_proxy_of_compose_looks_the_service_up_again_and_again(tmp_path):
    """A container that is started anew has another address."""
    script = SERVICES["proxy"]["command"][2].partition("&&")[0]
    for old, new in (("/tmp/nginx.conf", f"{tmp_path}/nginx.conf"), ("/etc/balance-risk/", f"{DEPLOY}/")):
        script = script.replace(old, new)
    subprocess.run(["sh", "-c", script], check=True)
    changed = [
        (old, new)
        for old, new in zip(NGINX.splitlines(), (tmp_path / "nginx.conf").read_text().splitlines(), strict=True)
        if old != new
    ]
    ((old, new),) = changed
    assert "server 127.0.0.1:3000 max_fails=0;" in old
    found = "zone service 64k; resolver 127.0.0.11 valid=5s; server service:3000 resolve max_fails=0;"
    assert found in new
    version = re.search(r"nginx:(\d+)\.(\d+)", (DEPLOY / "compose.env").read_text())
    assert (int(version[1]), int(version[2])) >= (1, 28), "`resolve` is of 1.27.3"


def test_the_ingress_has_the_limits_of_nginx_conf():
    """Its defaults put bodies and answers, which are health data, into files of the controller."""
    prefix = "nginx.ingress.kubernetes.io/"
    found = {
        one["metadata"]["name"]: (
            {name.removeprefix(prefix): text for name, text in one["metadata"]["annotations"].items()},
            [path["path"] for rule in one["spec"]["rules"] for path in rule["http"]["paths"]],
        )
        for one in of_kind("Ingress")
    }
    assert found["service-batch"][1] == ["/v1/risk/batch"]
    for name, place in (("service", NGINX), ("service-batch", location("= /v1/risk/batch"))):
        annotations = found[name][0]
        body = re.search(r"client_max_body_size (\w+);", place)[1]
        assert annotations["proxy-body-size"] == annotations["client-body-buffer-size"] == body
        assert annotations["proxy-max-temp-file-size"] == "0"
        assert annotations["enable-access-log"] == "false"
    for name, zone in (("service", "connections"), ("service-batch", "batches")):
        assert found[name][0]["limit-connections"] == re.search(rf"limit_conn {zone} (\d+);", NGINX)[1]
    rate = int(re.search(r"rate=(\d+)r/s", NGINX)[1])
    assert int(found["service"][0]["limit-rps"]) == rate
    burst = int(re.search(r"burst=(\d+)", NGINX)[1])
    assert rate * int(found["service"][0]["limit-burst-multiplier"]) == burst
    for annotations, _ in found.values():
        # Without it the same addresses would be answered in clear text.
        assert annotations["force-ssl-redirect"] == "true"
        assert "ssl-redirect" not in annotations
    models = found["mlflow"][0]
    assert (models["proxy-request-buffering"], models["proxy-max-temp-file-size"]) == ("off", "0")
    page = (DEPLOY / "containers.md").read_text()
    assert "`error-log-level: emerg`" in page
    assert "`limit-conn-status-code`" in page
    assert "**No port 80.**" in page
