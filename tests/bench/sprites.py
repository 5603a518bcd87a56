"""Sprites: against the Python, JavaScript and Go SDK, on the playground's simulator."""

import http.client
import json
import os
import signal
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from measure import PEERS, ROOT, Failed, Row, Side, emptied, has_size

DRIVERS = ROOT / "tests/peers"
HOME = "/home/sprite"
SDKS = {
    "Python": [
        os.environ.get("ESKER_TEST_SPRITES_PY") or str(PEERS / "sprites-py/bin/python"),
        str(DRIVERS / "sprites-py/driver.py"),
    ],
    "JavaScript": [
        os.environ.get("ESKER_TEST_SPRITES_JS") or str(PEERS / "sprites-js/bin/node"),
        "--preserve-symlinks-main",
        str(PEERS / "sprites-js/driver.mjs"),
    ],
    "Go": [os.environ.get("ESKER_TEST_SPRITES_GO") or str(PEERS / "bin/sprites-go")],
}


class Playground:
    """The simulator, with one sandbox `box`."""

    def __init__(self, esker):
        argv = [esker, "playground", "--only", "sprites", "--no-seed-demo", "--print-env"]
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        self.env = {}
        while len(self.env) < 2 and (line := self.process.stdout.readline()):
            name, _, value = line.strip().removeprefix("export ").partition("=")
            if name in ("SPRITES_ENDPOINT", "SPRITES_TOKEN"):
                self.env[name] = value.strip("'\"")
        if len(self.env) < 2:
            raise SystemExit("error: the playground does not start")
        self.create(["box"])

    def create(self, names):
        url = urlsplit(self.env["SPRITES_ENDPOINT"])
        connection = http.client.HTTPConnection(url.netloc)
        headers = {"Authorization": f"Bearer {self.env['SPRITES_TOKEN']}", "Content-Type": "application/json"}
        for name in names:
            connection.request("POST", "/v1/sprites", json.dumps({"name": name}), headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status // 100 != 2:
                raise SystemExit(f"error: no sandbox `{name}`: {answer.status}")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def rows(bench):
    playground = Playground(bench.esker)
    try:
        for row in (*programs(bench), *files(bench, playground), *lists(bench, playground)):
            row.env = playground.env
            yield row
    finally:
        playground.stop()


def sdks(mode, *args, **more):
    """The same job for each SDK; an argument with `{}` gets the SDK's name."""
    return {
        name: Side([*argv, mode, "box", *(str(arg).format(name) for arg in args)], **more) for name, argv in SDKS.items()
    }


def programs(bench):
    size = str(bench.size)
    exec_ = [bench.esker, "exec", "sprites/box", "--"]
    yield Row("sprites: exec -- true", Side([*exec_, "true"]), sdks("exec-true", 1), bench.runs)
    out = Side([*exec_, "head", "-c", size, "/dev/zero"], piped=bench.size)
    yield Row(f"sprites: {bench.label} out of exec", out, sdks("exec-out", size), bench.few)
    # The SDKs' drivers make their zeros themselves.
    counted = 'test "$(head -c "$1" /dev/zero | "$2" exec sprites/box -- wc -c)" = "$1"'
    into = Side(["sh", "-c", counted, "sh", size, bench.esker])
    yield Row(f"sprites: {bench.label} into exec", into, sdks("exec-in", size), bench.few)


def files(bench, playground):
    count = 500 if bench.quick else 5000
    near = bench.scratch / "near"
    big, many = near / "big", near / "many"
    bench.big_file(big)
    bench.small_files(many, count)
    env = os.environ | playground.env

    def inside(script):
        """What a shell in the sandbox prints."""
        argv = [bench.esker, "exec", "sprites/box", "--", "sh", "-c", script]
        return subprocess.run(argv, env=env, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()

    def holds(script, wanted):
        def check():
            if (found := inside(script)) != str(wanted):
                raise Failed(f"`{script}` printed {found}, not {wanted}")

        return check

    def each(sides, reset, check):
        for name, side in sides.items():
            side.reset, side.check = reset(name), check(name)
        return sides

    def gone(name):
        return lambda: inside(f"rm -rf up-{name}; mkdir -p many-{name}")

    ours = Side([bench.esker, "files", "cp", str(big), f"sprites/box:{HOME}/up-esker"])
    sides = {"esker": ours, **sdks("cp-up", big, HOME + "/up-{}")}
    peers = each(sides, gone, lambda name: holds(f"stat -c %s up-{name}", bench.size))
    yield Row(f"sprites: {bench.label} up", peers.pop("esker"), peers, bench.few)

    inside(f"head -c {bench.size} /dev/urandom >big")
    ours = Side([bench.esker, "files", "cp", f"sprites/box:{HOME}/big", str(near / "down-esker")])
    sides = {"esker": ours, **sdks("cp-down", f"{HOME}/big", f"{near}/down-{{}}")}
    peers = each(
        sides,
        lambda name: emptied(Path(near) / f"down-{name}"),
        lambda name: has_size(Path(near) / f"down-{name}", bench.size),
    )
    yield Row(f"sprites: {bench.label} down", peers.pop("esker"), peers, bench.few)

    ours = Side([bench.esker, "files", "cp", "-r", f"{many}/", f"sprites/box:{HOME}/many-esker/"])
    sides = {"esker": ours, **sdks("cp-many", many, HOME + "/many-{}")}
    emptied_there = lambda name: lambda: inside(f"rm -rf many-{name}; mkdir many-{name}")
    peers = each(sides, emptied_there, lambda name: holds(f"find many-{name} -type f | wc -l", count))
    yield Row(f"sprites: {count} small files up", peers.pop("esker"), peers, bench.few)


def lists(bench, playground):
    count = 1000 if bench.quick else 10_000
    playground.create(f"s{number:05}" for number in range(count))
    ours = Side([bench.esker, "vm", "list", "sprites", "-o", "json"])
    yield Row(f"sprites: list of {count}", ours, sdks("list"), bench.few)
