"""VergeOS: against vrg, the official CLI, on the playground's simulator; both over TLS with a certificate to check."""

import base64
import http.client
import itertools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from measure import PEERS, Row, Side

PYTHON = os.environ.get("ESKER_TEST_VERGE_PY") or str(PEERS / "verge-py/bin/python")
VRG = str(Path(PYTHON).with_name("vrg"))
NAMES = ("VERGE_HOST", "VERGE_USERNAME", "VERGE_PASSWORD", "VERGE_CA_FILE")
LISTED = """
from pyvergeos import VergeClient
with VergeClient.from_env() as client:
    for vm in client.vms.list():
        print(vm.key, vm.name, vm.status, vm.ram)
"""


class Playground:
    """The simulator, with the five machines of its demonstration."""

    def __init__(self, esker):
        argv = [esker, "playground", "--only", "vergeos", "--print-env"]
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        self.env = {}
        while len(self.env) < len(NAMES) and (line := self.process.stdout.readline()):
            name, _, value = line.strip().removeprefix("export ").partition("=")
            if name in NAMES:
                self.env[name] = value.strip("'\"")
        if len(self.env) < len(NAMES):
            raise SystemExit("error: the playground does not start")
        # What vrg goes by.
        self.env["REQUESTS_CA_BUNDLE"] = self.env["VERGE_CA_FILE"]

    def ask(self, method, path, body=None):
        """A request over the simulator's plain side; its status."""
        connection = http.client.HTTPConnection(self.env["VERGE_HOST"])
        user = f"{self.env['VERGE_USERNAME']}:{self.env['VERGE_PASSWORD']}".encode()
        headers = {"Authorization": f"Basic {base64.b64encode(user).decode()}", "Content-Type": "application/json"}
        connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()

    def grow(self, count):
        status, _ = self.ask("PUT", f"/playground/vms?count={count}")
        if status // 100 != 2:
            raise SystemExit(f"error: no more machines: {status}")

    def key(self, name):
        _, rows = self.ask("GET", f"/api/v4/vms?filter=name+eq+'{name}'&fields=$key")
        return json.loads(rows)[0]["$key"]

    def off(self, key):
        """Pulls the plug of a machine, whether or not it runs."""
        return lambda: self.ask("POST", "/api/v4/vm_actions", {"vm": key, "action": "kill"})

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def rows(bench):
    if not os.access(VRG, os.X_OK):
        print("vergeos: no rows, vrg is not installed", file=sys.stderr)
        return
    playground = Playground(bench.esker)
    try:
        # One by one: the world grows between the rows.
        for row in itertools.chain(short(bench, playground), lists(bench, playground)):
            row.env = playground.env
            yield row
    finally:
        playground.stop()


def short(bench, playground):
    few = bench.few
    yield Row("vergeos: --version", Side([bench.esker, "--version"]), {"vrg": Side([VRG, "--version"])}, few)
    ours = Side([bench.esker, "vm", "show", "vergeos/web01", "-o", "json"])
    yield Row("vergeos: vm show", ours, {"vrg": Side([VRG, "-o", "json", "vm", "get", "web01"])}, few)
    off = playground.off(playground.key("build01"))
    ours = Side([bench.esker, "vm", "start", "--no-wait", "vergeos/build01"], reset=off)
    yield Row("vergeos: vm start", ours, {"vrg": Side([VRG, "vm", "start", "build01"], reset=off)}, few)


def lists(bench, playground):
    total = 5
    for count in (5, 1000, 10_000):
        playground.grow(count - total)
        total = count
        peers = {"vrg": Side([VRG, "-o", "json", "vm", "list"]), "pyvergeos": Side([PYTHON, "-c", LISTED])}
        ours = Side([bench.esker, "vm", "list", "vergeos", "-o", "json"])
        yield Row(f"vergeos: vm list of {count}", ours, peers, bench.few)
