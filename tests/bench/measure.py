"""Runs one command as a whole process, and rows of them in turns: what every system's rows are made with."""

import os
import shutil
import signal
import statistics
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
PEERS = TARGET / "peers"

# Seconds for one run. ops.pebble, for one, takes minutes to pull 64 MiB of random bytes: its parser looks at all that
# it holds again for every piece that arrives.
LIMIT = 60

@dataclass
class Side:
    """One of the commands of a row. `piped`: this many bytes go through a pipe to a reader that only counts them."""

    argv: list
    piped: int = 0
    reset: Callable[[], None] = lambda: None  # before each run, not measured
    check: Callable[[], None] = lambda: None  # after the first run: was it truly done?


@dataclass
class Row:
    name: str
    ours: Side
    peers: dict
    runs: int
    limit: int = LIMIT  # seconds for one run
    env: dict = field(default_factory=dict)  # what every side finds in its environment


@dataclass
class Result:
    wall: list = field(default_factory=list)  # seconds
    cpu: list = field(default_factory=list)  # seconds, user and system
    peak: list = field(default_factory=list)  # KiB
    failure: str = ""

    def medians(self):
        if self.failure:
            return {"failure": self.failure}
        pairs = (("wall_seconds", self.wall), ("cpu_seconds", self.cpu), ("peak_kib", self.peak))
        return {name: statistics.median(values) for name, values in pairs}


class Failed(Exception):
    """A side did not do what its row is about."""


@dataclass
class Bench:
    """What the rows are made of."""

    esker: str
    empty: str
    scratch: Path  # a directory for this system's files
    quick: bool
    runs: int  # of a short row

    few = property(lambda self: max(3, self.runs // 10))  # runs of a long row
    size = property(lambda self: (64 << 20) if self.quick else (1 << 30))
    label = property(lambda self: "64 MiB" if self.quick else "1 GiB")

    def big_file(self, path):
        """`size` random bytes."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "wb") as file:
            for _ in range(self.size >> 20):
                file.write(os.urandom(1 << 20))

    def small_files(self, directory, count):
        directory.mkdir(parents=True)
        for number in range(count):
            (directory / f"file{number:04}").write_text(f"{number}\n" * 100)


def measure(launcher, side, env, scratch, limit=LIMIT):
    """One run: wall seconds, CPU seconds, peak KiB."""
    side.reset()
    result, errors = scratch / "result", scratch / "errors"
    result.unlink(missing_ok=True)
    reader = subprocess.Popen(["wc", "-c"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) if side.piped else None
    with open(errors, "wb") as stderr:
        out = reader.stdin if reader else subprocess.DEVNULL
        command = [launcher, str(result), *side.argv]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": stderr}
        # A group of its own, so that all of it can be ended.
        launched = subprocess.Popen(command, env=env, cwd=scratch, process_group=0, **pipes)
        try:
            launched.wait(limit)
            late = False
        except subprocess.TimeoutExpired:
            late = True
            os.killpg(launched.pid, signal.SIGKILL)
            launched.wait()
    if reader:
        counted = int(reader.communicate()[0])
    if late:
        raise Failed(f"not done after {limit} s")
    if launched.returncode != 0 or not result.exists():
        raise Failed(f"{side.argv[0]} cannot be run")
    wall, cpu, peak, code = (int(word) for word in result.read_text().split())
    if code != 0:
        said = errors.read_text(errors="replace").strip().splitlines()
        raise Failed(f"exit status {code}: {said[0] if said else 'nothing said'}")
    if reader and counted != side.piped:
        raise Failed(f"{counted} bytes came out, not {side.piped}")
    return wall / 1e9, cpu / 1e6, peak


def run_row(row, launcher, env, scratch):
    """All sides of a row in turns. The first round warms up, and shows who can take part."""
    sides = {"esker": row.ours, **row.peers}
    env = env | row.env
    results = {name: Result() for name in sides}
    for turn in range(row.runs + 1):
        for name, side in sides.items():
            result = results[name]
            if result.failure:
                continue
            try:
                wall, cpu, peak = measure(launcher, side, env, scratch, row.limit)
                if turn == 0:
                    side.check()
                    continue
            except Failed as failed:
                result.failure = str(failed)
                continue
            result.wall.append(wall)
            result.cpu.append(cpu)
            result.peak.append(peak)
    return results


def has_size(path, size):
    def check():
        found = path.stat().st_size if path.exists() else None
        if found != size:
            raise Failed(f"{path.name} has {found} bytes, not {size}")

    return check


def has_files(directory, count):
    def check():
        found = sum(1 for path in directory.rglob("*") if path.is_file()) if directory.exists() else 0
        if found != count:
            raise Failed(f"{directory.name} has {found} files, not {count}")

    return check


def emptied(path):
    """Before each run: nothing there, but the directory above."""

    def reset():
        shutil.rmtree(path, ignore_errors=True)
        if path.exists():
            path.unlink()
        path.parent.mkdir(parents=True, exist_ok=True)

    return reset


def emptied_directory(path):
    def reset():
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)

    return reset
