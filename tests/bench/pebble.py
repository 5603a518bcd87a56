"""Pebble: against the official client, ops.pebble and curl, on a real daemon in a directory of its own."""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from measure import PEERS, Row, Side, emptied, emptied_directory, has_files, has_size

PEBBLE = os.environ.get("ESKER_TEST_PEBBLE") or str(PEERS / "bin/pebble")
PYTHON = os.environ.get("ESKER_TEST_PYTHON") or str(PEERS / "venv/bin/python")

LAYER = """\
services:
    web: {override: replace, command: sleep 1000, startup: enabled}
    worker: {override: replace, command: sleep 1000}
    quick: {override: replace, command: sleep 1000, kill-delay: 1s}
checks:
    up: {override: replace, startup: disabled, exec: {command: "true"}}
"""


class Daemon:
    """A real daemon in a directory of its own, state in memory only."""

    def __init__(self, directory):
        self.dir = Path(directory)
        self.socket = self.dir / ".pebble.socket"
        self.env = {"PEBBLE": str(self.dir), "PEBBLE_SOCKET": str(self.socket)}
        (self.dir / "layers").mkdir()
        (self.dir / "layers/001-bench.yaml").write_text(LAYER)
        env = os.environ | self.env | {"PEBBLE_PERSIST": "never"}
        self.log = open(self.dir / "log", "wb")
        self.process = subprocess.Popen([PEBBLE, "run"], env=env, stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 60
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"error: no daemon: {(self.dir / 'log').read_text()}")
            time.sleep(0.02)

    def answers(self):
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(self.socket))
                client.sendall(b"GET /v1/system-info HTTP/1.0\r\n\r\n")
                return b" 200 " in client.recv(64)
        except OSError:
            return False

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


def service(action, name="quick"):
    def reset():
        subprocess.run([PEBBLE, action, name], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    return reset


def shell(script, *args):
    return ["sh", "-c", script, "sh", *map(str, args)]


def ops(socket_path, body, *args):
    """A program that uses ops.pebble: `c` is the client, `a` its arguments."""
    head = "import sys, shutil, os, ops.pebble; a = sys.argv[2:]; c = ops.pebble.Client(sys.argv[1], timeout=60)\n"
    return [PYTHON, "-c", head + body, str(socket_path), *map(str, args)]


def rows(bench):
    """Every comparison. `far` is where the daemon's side of a copy is."""
    directory = bench.scratch / "pebble"
    directory.mkdir()
    daemon = Daemon(directory)
    # For what runs between the measured commands too.
    os.environ |= daemon.env
    try:
        for row in (*queries(bench, daemon), *programs(bench), *files(bench, daemon), *services(bench)):
            row.env = daemon.env
            yield row
    finally:
        daemon.stop()


def queries(bench, daemon):
    sock = daemon.socket
    listed = "print([s.name for s in c.get_services()])"
    peers = {"pebble": Side([PEBBLE, "services", "--format", "json"]), "empty": Side([bench.empty])}
    if shutil.which("curl"):
        peers["curl"] = Side(["curl", "-sf", "--unix-socket", str(sock), "http://localhost/v1/services"])
    peers["ops.pebble"] = Side(ops(sock, listed))
    yield Row("svc list -o json", Side([bench.esker, "svc", "list", "-o", "json"]), peers, bench.runs)


def programs(bench):
    args = ["exec", "--", "true"]
    yield Row("exec -- true", Side([bench.esker, *args]), {"pebble": Side([PEBBLE, *args])}, bench.runs)
    flood = ["exec", "--", "head", "-c", str(bench.size), "/dev/zero"]
    peers = {"pebble": Side([PEBBLE, *flood], piped=bench.size)}
    yield Row(f"{bench.label} out of exec", Side([bench.esker, *flood], piped=bench.size), peers, bench.few)


def files(bench, daemon):
    count = 100 if bench.quick else 1000
    esker, size, sock = bench.esker, bench.size, daemon.socket
    near, far = bench.scratch / "near", bench.scratch / "far"
    many, big = near / "many", near / "big"
    bench.small_files(many, count)
    bench.big_file(big)
    far.mkdir()
    shutil.copy(big, far / "big")
    shutil.copytree(many, far / "many")

    def up(argv, name):
        return Side(argv, reset=emptied(far / name), check=has_size(far / name, size))

    def down(argv, name):
        return Side(argv, reset=emptied(near / name), check=has_size(near / name, size))

    push = "c.push(a[1], open(a[0], 'rb'))"
    peers = {
        "pebble": up([PEBBLE, "push", str(big), str(far / "p")], "p"),
        "ops.pebble": up(ops(sock, push, big, far / "o"), "o"),
    }
    yield Row(f"{bench.label} up", up([esker, "files", "cp", str(big), f":{far / 'e'}"], "e"), peers, bench.few)
    pull = "shutil.copyfileobj(c.pull(a[0], encoding=None), open(a[1], 'wb'))"
    peers = {
        "pebble": down([PEBBLE, "pull", str(far / "big"), str(near / "p")], "p"),
        "ops.pebble": down(ops(sock, pull, far / "big", near / "o"), "o"),
    }
    yield Row(f"{bench.label} down", down([esker, "files", "cp", f":{far / 'big'}", str(near / "e")], "e"), peers, bench.few)

    def all_up(argv, name):
        return Side(argv, reset=emptied_directory(far / name), check=has_files(far / name, count))

    def all_down(argv, name):
        return Side(argv, reset=emptied_directory(near / name), check=has_files(near / name, count))

    each = 'for f in "$2"/*; do "$1" push "$f" "$3/${f##*/}" || exit; done'
    every = "for n in os.listdir(a[0]): c.push(a[1] + '/' + n, open(a[0] + '/' + n, 'rb'))"
    peers = {
        "pebble": all_up(shell(each, PEBBLE, many, far / "mp"), "mp"),
        "ops.pebble": all_up(ops(sock, every, many, far / "mo"), "mo"),
    }
    copy = [esker, "files", "cp", "-r", str(many), f"pebble:{far / 'me'}/"]
    yield Row(f"{count} small files up", all_up(copy, "me"), peers, bench.few)
    each = 'for f in "$2"/*; do "$1" pull "$f" "$3/${f##*/}" || exit; done'
    every = "for i in c.list_files(a[0]): open(a[1] + '/' + i.name, 'wb').write(c.pull(i.path, encoding=None).read())"
    peers = {
        "pebble": all_down(shell(each, PEBBLE, far / "many", near / "mp"), "mp"),
        "ops.pebble": all_down(ops(sock, every, far / "many", near / "mo"), "mo"),
    }
    copy = [esker, "files", "cp", "-r", f"pebble:{far / 'many'}", f"{near / 'me'}/"]
    yield Row(f"{count} small files down", all_down(copy, "me"), peers, bench.few)


def services(bench):
    for action, before in (("stop", service("start")), ("start", service("stop"))):
        peers = {"pebble": Side([PEBBLE, action, "quick"], reset=before)}
        yield Row(f"svc {action}", Side([bench.esker, "svc", action, "quick"], reset=before), peers, bench.few)
