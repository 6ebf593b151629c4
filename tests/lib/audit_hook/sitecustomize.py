"""Python imports this at the start of every process whose PYTHONPATH holds this directory: it writes down what they do.

One line of JSON for each event that could turn data into code or reach another machine, with the place outside the standard
library that is behind it. Nothing of the project is imported, and a process cannot take the hook away again (PEP 578).
"""

import json
import os
import sys
import threading

_WATCHED = {
    "pickle.find_class", "marshal.load", "marshal.loads", "exec", "compile", "code.__new__",
    "socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.sendto", "socket.bind",
    "urllib.Request", "http.client.connect",
    "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork",
    "open",
}  # fmt: skip
_LIBRARY = os.path.dirname(os.__file__)
_INSTALLED = os.path.join(_LIBRARY, "site-packages")
_ITSELF = "sitecustomize.py"


def _frames():
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_code.co_filename
        if not name.endswith(_ITSELF):
            yield name, frame
        frame = frame.f_back


def _told(event, arguments):
    if event == "exec":
        return [arguments[0].co_filename]
    if event == "compile":
        return [str(arguments[1])]
    if event == "open":
        return [str(arguments[0]), str(arguments[1]), arguments[2]]
    return [] if event.startswith(("marshal", "code")) else [repr(one)[:200] for one in arguments]


def _line(event, arguments):
    frames = list(_frames())
    others = (
        f"{name}:{frame.f_code.co_name}:{frame.f_lineno}"
        for name, frame in frames
        if not name.startswith("<frozen") and (not name.startswith(_LIBRARY) or name.startswith(_INSTALLED))
    )
    return {
        "pid": os.getpid(),
        "event": event,
        "told": _told(event, arguments),
        "by": next(others, ""),
        # Source and compiled code of modules on their way in.
        "is_import": bool(frames) and frames[0][0].startswith("<frozen importlib"),
    }


class _Hook:
    def __init__(self, path):
        self.target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        # Of each thread: what others do meanwhile counts too.
        self.state = threading.local()

    def __call__(self, event, arguments):
        if event not in _WATCHED or getattr(self.state, "is_busy", False):
            return
        self.state.is_busy = True
        try:
            os.write(self.target, json.dumps(_line(event, arguments)).encode() + b"\n")
        finally:
            self.state.is_busy = False


if os.environ.get("AUDIT_HOOK_LOG"):
    sys.addaudithook(_Hook(os.environ["AUDIT_HOOK_LOG"]))
