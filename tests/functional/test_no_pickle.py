"""What processes of the service do, as Python itself reports it: no data becomes code, and nothing calls home.

A process with an audit hook (PEP 578, ``tests/lib/audit_hook``) cannot import a module, unpickle a class, compile a text or
connect a socket unseen, whichever library does it. That holds for Python's own doors; what C libraries do by themselves is
looked for in the table of connections.
"""

from __future__ import annotations

import ast
import ipaddress
import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.serving_lock import names
from tests.lib.deployment import PROJECT, REQUEST, Deployment, wait_for
from tests.lib.models import linear_model

HOOK = PROJECT / "tests" / "lib" / "audit_hook"
# Requests, click, Babel, pyzmq and uvicorn try these and do without; see the last test of the processes.
USED_WHERE_INSTALLED = {"charset_normalizer", "colorama", "lxml", "pytz", "pexpect", "ptyprocess", "websockets"}
TRIAL = "models/trial_parse.py"  # the one child a worker starts: the first parse of a bundle, with nothing of a request
CONNECTING = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request")
# What turns bytes into objects of any class, and what only training needs. BentoML imports cloudpickle: loaded, not used.
FORBIDDEN = (
    "joblib",
    "dill",
    "skops",
    "shelve",
    "pandas",
    "pyarrow",
    "sklearn",
    "mlflow",
    "shap",
    "dvc",
)
TRACKING = (
    "DO_NOT_TRACK",
    "MLFLOW_DISABLE_TELEMETRY",
    "GX_ANALYTICS_ENABLED",
    "DVC_NO_ANALYTICS",
)


class Watched(Deployment):
    """A service whose processes write down what they do."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, PYTHONPATH=str(HOOK), AUDIT_HOOK_LOG=str(root / "events"))
        # Only BentoML's variable is set, as whatever starts the service sets it: none of the others is needed.
        for name in TRACKING:
            self.environment.pop(name, None)

    def events(self, first: int = 0) -> list[dict[str, Any]]:
        """Return what was seen, from one line on."""
        return [json.loads(line) for line in (self.root / "events").read_text().splitlines()[first:]]


@pytest.fixture(scope="module")
def watched(tmp_path_factory) -> Iterator[Watched]:
    """A service that has started, answered requests of every kind, and changed a model."""
    service = Watched(tmp_path_factory.mktemp("watched"))
    try:
        service.promote_both()
        prepared = [sys.executable, "-m", "serving.prepare"]
        subprocess.run(prepared, cwd=PROJECT, env=service.environment, check=True, capture_output=True)
        service.start(until_ready=True)
        wait_for(lambda: service.version("burnout") == service.version("long_sick_leave") == "1")
        _ask_everything(service)  # what is imported with the first request of a kind is imported now
        service.armed = len(service.events())
        _ask_everything(service)
        service.promote(linear_model(seed=70), "2")
        wait_for(lambda: service.version("long_sick_leave") == "2")
        service.connected_to = _connected_to(service)
        yield service
    finally:
        service.stop()


def _ask_everything(service: Deployment) -> None:
    paths = service.client.get("/openapi.json").json()["paths"]
    for path in ("/livez", "/readyz", "/metrics", "/nowhere"):
        service.client.get(path)
    for path, methods in paths.items():
        asked = re.sub(r"\{\w+\}", "someone", path)
        for method in methods:
            for role in ("app", "clinician", "employer", "auditor"):
                for body in (b"{", b"{}", json.dumps(REQUEST).encode(), json.dumps({"requests": [REQUEST]}).encode()):
                    service.client.request(method, asked, content=body, headers=service.headers(role))
    # A pickle, and text that Python could evaluate, where JSON is expected.
    for body in (b"cposix\nsystem\n(S'id'\ntR.", b"\x80\x04\x95\x00", b"__import__('os').system('id')"):
        for media_type in ("application/json", "application/vnd.bentoml+pickle", "application/octet-stream"):
            headers = service.headers() | {"content-type": media_type}
            assert service.client.post("/v1/risk", content=body, headers=headers).status_code in (400, 415)


def test_the_hook_sees_what_it_is_there_to_see(tmp_path):
    """Else the tests below would prove nothing."""
    log = tmp_path / "events"
    code = (
        "import pickle, marshal, socket, collections\n"
        "pickle.loads(pickle.dumps(collections.Counter()))\n"
        "marshal.loads(marshal.dumps(1))\n"
        "eval('1 + 1')\n"
        "exec('x = 1')\n"
        "s = socket.socket(); s.settimeout(0.01); s.connect_ex(('127.0.0.1', 9))\n"
        "import subprocess; subprocess.run(['true'])\n"
    )
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(HOOK), "AUDIT_HOOK_LOG": str(log)}, check=True)
    seen = [json.loads(line) for line in log.read_text().splitlines()]
    own = {event["event"] for event in seen if not event["is_import"]}
    assert own >= {"pickle.find_class", "marshal.loads", "compile", "exec", "socket.connect", "subprocess.Popen"}


def test_nothing_is_unpickled_ever(watched):
    """Not even at start, nor in the process that first parses a bundle."""
    assert [event for event in watched.events() if event["event"] == "pickle.find_class"] == []


def test_no_request_becomes_code(watched):
    """Modules may still be imported from files of this installation; nothing else is compiled, run or unmarshalled."""
    workers = watched.workers()
    assert workers
    for event in watched.events(watched.armed):
        if event["pid"] in workers and event["event"] in (
            "exec",
            "compile",
            "marshal.load",
            "marshal.loads",
            "code.__new__",
        ):
            assert event["is_import"], (event["event"], event["told"], event["by"])
            assert not event["told"] or event["told"][0].startswith(
                (sys.prefix, sys.base_prefix, str(PROJECT), "<frozen")
            )


def test_a_worker_starts_no_program_but_the_trial_parse(watched):
    starting = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork")
    for event in watched.events():
        if event["pid"] in watched.workers() and event["event"] in starting:
            assert TRIAL in event["by"] or "psutil/" in event["by"], event
    after = [event for event in watched.events(watched.armed) if event["event"] in starting]
    assert {event["by"].split(":")[0].removeprefix(f"{PROJECT}/") for event in after} == {TRIAL}


def test_nothing_calls_home(watched):
    """No library asks for another machine's name or connects to it, though no variable forbids it any of that."""
    for event in watched.events():
        if event["event"] in CONNECTING:
            assert "127.0.0.1" in "".join(event["told"]) or "'localhost'" in "".join(event["told"]), event
        if event["event"] == "socket.gethostbyaddr":  # the process manager asks for this machine's own name
            assert event["told"] == [repr(socket.gethostname())], event
    assert watched.connected_to == set()


def _connected_to(service: Deployment) -> set[str]:
    """Return the addresses, but for this machine's, that processes of the service are connected to or try to be."""
    processes = [service.process.pid, *service.workers()]
    sockets = {match for pid in processes for match in _sockets(pid)}
    found = set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            columns = line.split()
            if columns[9] in sockets:
                address = _address(columns[2].split(":")[0])
                if not address.is_loopback and not address.is_unspecified:
                    found.add(str(address))
    return found


def _sockets(pid: int) -> Iterator[str]:
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found = re.fullmatch(r"socket:\[(\d+)\]", str(descriptor.readlink()))
        except OSError:
            continue
        if found:
            yield found[1]


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Read an address as the kernel prints it: words of four bytes in the machine's order."""
    raw = b"".join(
        bytes.fromhex(text[i : i + 8])[:: -1 if sys.byteorder == "little" else 1] for i in range(0, len(text), 8)
    )
    address = ipaddress.ip_address(raw)
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


@pytest.mark.long
def test_a_process_that_scores_has_loaded_only_what_its_lock_file_names(watched):
    """requirements-serving.lock is what the image installs: a module from elsewhere would be missing there."""
    library = {Path(path) for path in sys.path if path.endswith("site-packages")}
    tops = set()
    for event in watched.events():
        if event["event"] == "open" and event["told"][0].endswith((".py", ".pyc", ".so")):
            path = Path(event["told"][0])
            tops |= {path.relative_to(place).parts[0].split(".")[0] for place in library if path.is_relative_to(place)}
    assert "bentoml" in tops
    assert tops & set(FORBIDDEN) == set()
    assert {top for top in tops if _distributions(top) and not _distributions(top) & names()} <= USED_WHERE_INSTALLED


@pytest.mark.long
def test_without_what_the_lock_file_does_not_name_it_starts_and_answers(tmp_path):
    """As in the image, which has none of it."""
    code = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.partition('.')[0] in {USED_WHERE_INSTALLED}:\n"
        "            raise ModuleNotFoundError(name, name=name)\n"
        "sys.meta_path.insert(0, Absent())\n"
    )
    (tmp_path / "absent").mkdir()
    (tmp_path / "absent" / "sitecustomize.py").write_text(code)
    service = Deployment(tmp_path / "service", PYTHONPATH=str(tmp_path / "absent"))
    service.promote_both()
    try:
        service.start(until_ready=True)
        assert service.post("/v1/risk", REQUEST).status_code == 200
        assert service.client.get("/ui/sign-in").status_code == 200
    finally:
        service.stop()


def _distributions(top: str) -> set[str]:
    from importlib.metadata import packages_distributions

    from packaging.utils import canonicalize_name

    found = packages_distributions()
    return {canonicalize_name(name) for name in found.get(top, [])}


@pytest.mark.parametrize("package", ["serving", "features", "data_contracts"])
def test_no_code_of_ours_evaluates_or_unpickles(package):
    """By the syntax tree, so that no spelling of an import hides one."""
    for path in (PROJECT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("eval", "exec", "compile", "__import__"), f"{path}: {node.lineno}"
            if isinstance(node, ast.Import | ast.ImportFrom):
                module = getattr(node, "module", None) or ""
                imported = {module.split(".")[0], *(alias.name.split(".")[0] for alias in node.names if not module)}
                assert imported.isdisjoint({"pickle", "marshal", "shelve", "joblib", "cloudpickle", "dill", "skops"}), (
                    path
                )
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                assert isinstance(node.value, ast.Constant), path
                assert node.value.value is False, path
