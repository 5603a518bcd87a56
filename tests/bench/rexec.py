"""Rexec: against a client in Python that does the same by the terminal and the upload endpoint, on the playground's
simulator."""

import os
import signal
import subprocess

from measure import PEERS, ROOT, Row, Side

PYTHON = os.environ.get("ESKER_TEST_REXEC_PY") or str(PEERS / "rexec-py/bin/python")
DRIVER = str(ROOT / "tests/peers/rexec-py/driver.py")


class Playground:
    """The simulator, with one container `box`."""

    def __init__(self, esker):
        argv = [esker, "playground", "--only", "rexec", "--no-seed-demo", "--print-env"]
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        self.env = {}
        while not {"REXEC_URL", "REXEC_TOKEN"} <= self.env.keys() and (line := self.process.stdout.readline()):
            name, _, value = line.strip().removeprefix("export ").partition("=")
            if name.startswith("REXEC_"):
                self.env[name] = value.strip("'\"")
        if not {"REXEC_URL", "REXEC_TOKEN"} <= self.env.keys():
            raise SystemExit("error: the playground does not start")
        create = [esker, "vm", "create", "rexec/box", "--image", "debian-12", "-q"]
        subprocess.run(create, env=os.environ | self.env, check=True)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def rows(bench):
    # The server counts requests by who asks: each side has one of its own.
    ours, theirs = Playground(bench.esker), Playground(bench.esker)
    try:
        for row in comparisons(bench, [f"{name}={value}" for name, value in theirs.env.items()]):
            row.env = ours.env
            yield row
    finally:
        ours.stop()
        theirs.stop()


def comparisons(bench, elsewhere):
    size = (8 << 20) if bench.quick else (100 << 20)
    count = 100 if bench.quick else 1000
    many = bench.scratch / "many"
    bench.small_files(many, count)
    program = [bench.esker, "exec", "rexec/box", "--"]

    def client(what, *args):
        return Side(["env", *elsewhere, PYTHON, DRIVER, "bench", what, "box", *map(str, args)])

    yield Row("rexec: exec -- true", Side([*program, "true"]), {"httpx": client("true")}, bench.runs)
    flood = Side([*program, "head", "-c", str(size), "/dev/zero"], piped=size)
    yield Row(f"rexec: {size >> 20} MiB out of exec", flood, {"httpx, text only": client("out", size)}, bench.few)
    copy = Side([bench.esker, "files", "cp", "-r", str(many), "rexec/box:/home/user/"])
    # Five hundred requests a minute is all that a server answers: a request for each file has to wait for more.
    yield Row(f"rexec: {count} small files up", copy, {"httpx": client("up", many)}, min(bench.few, 3), limit=400)
