"""Many targets at once: against one of them alone, which is the slowest since all are as slow (design: at most 1.5x,
under 64 MiB)."""

import os
import signal
import subprocess

from measure import Row, Side

# So many targets, each of which takes so long to answer.
TARGETS = 500
DELAY = "300ms"


def rows(bench):
    argv = [bench.esker, "playground", "--only", "pebble", "--print-env", "--fault", f"pebble:delay={DELAY}"]
    playground = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    try:
        directory = None
        while directory is None and (line := playground.stdout.readline()):
            name, _, value = line.strip().removeprefix("export ").partition("=")
            if name == "PEBBLE":
                directory = value.strip("'\"")
        if directory is None:
            raise SystemExit("error: the playground does not start")
        bench.scratch.mkdir(parents=True, exist_ok=True)
        config = bench.scratch / "fleet.yaml"
        socket = os.path.join(directory, ".pebble.socket")
        endpoints = (f"  n{number:03}: {{provider: pebble, socket: {socket}}}\n" for number in range(TARGETS))
        config.write_text("endpoints:\n" + "".join(endpoints))

        def listing(*which):
            return Side([bench.esker, "svc", "list", "-o", "json", "--config", str(config), *which])

        peers = {"one": listing("--target", "n000")}
        yield Row(f"svc list of {TARGETS} targets", listing("--all"), peers, bench.few)
    finally:
        playground.send_signal(signal.SIGTERM)
        playground.wait()
