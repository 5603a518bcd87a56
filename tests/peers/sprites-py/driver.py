"""Drives the official Python SDK of Sprites against the server in SPRITES_ENDPOINT with the token in SPRITES_TOKEN.

    driver.py steps             every call of the SDK in turn; one JSON line each: step, ok, value or error
    driver.py MODE SPRITE ARG…  one job: see MODES at the end

What the lines must hold is not known here: the tests compare them.
"""

import asyncio
import hashlib
import io
import json
import os
import random
import signal
import sys
import threading
import time

from sprites import AsyncSpritesClient, ListOptions, NetworkPolicy, PolicyRule, SpritesClient, URLSettings
from sprites.session import kill_session

ENDPOINT = os.environ["SPRITES_ENDPOINT"]
TOKEN = os.environ["SPRITES_TOKEN"]
HOME = "/home/sprite"
LIMIT = 60  # seconds for one step

# A service that a signal does not end.
ALIVE = "trap : USR1; while :; do sleep 0.1; done"

steps = []


def step(name):
    """Declares the function as a step; it is run in the order of declaration, and what it returns is the value."""

    def declare(function):
        steps.append((name, function))
        return function

    return declare


def late(_signal, _frame):
    raise RuntimeError(f"not done after {LIMIT} s")


def run_steps():
    signal.signal(signal.SIGALRM, late)
    for name, function in steps:
        signal.alarm(LIMIT)
        try:
            line = {"step": name, "ok": True, "value": function()}
        except Exception as error:
            line = {"step": name, "ok": False, "error": {"class": type(error).__name__, "text": str(error)}}
        signal.alarm(0)
        print(json.dumps(line), flush=True)


client = SpritesClient(TOKEN, base_url=ENDPOINT)
box = client.sprite("box")
fs = box.filesystem(HOME)


def until(true, what):
    """Waits for what another process or the server does."""
    deadline = time.monotonic() + 30
    while not (value := true()):
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited in vain for {what}")
        time.sleep(0.02)
    return value


class Sink:
    """Where a command's output goes; another thread can wait for a part of it."""

    def __init__(self):
        self.data = bytearray()
        self.changed = threading.Condition()

    def write(self, data):
        with self.changed:
            self.data += data
            self.changed.notify_all()

    def wait_for(self, text):
        with self.changed:
            if not self.changed.wait_for(lambda: text in self.data, 30):
                raise RuntimeError(f"waited in vain for {text!r} in {self.data!r}")


class Background:
    """A command that runs while the step goes on."""

    def __init__(self, command):
        self.out = command.stdout = Sink()
        self.error = None
        self.command = command
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        try:
            self.command.run()
        except Exception as error:
            self.error = error

    def code(self):
        """The exit code, once it ended."""
        self.thread.join(30)
        if self.error is not None and self.command.exit_code < 0:
            raise self.error
        return self.command.exit_code


def session_of(text):
    """The session whose command holds `text`, once there is one."""
    found = until(lambda: [s for s in box.list_sessions() if text in s.command], f"a session of {text}")
    return found[0]


def about(sprite):
    return {
        "name": sprite.name,
        "labels": sorted(sprite.labels),
        "auth": sprite.url_settings and sprite.url_settings.auth,
        "id": (sprite.id or "").startswith("sprite-"),
        "status": sprite.status in ("cold", "warm", "running"),
        "url": (sprite.url or "").startswith("http"),
        "organization": bool(sprite.organization_name),
        "created": sprite.created_at is not None and sprite.updated_at is not None,
    }


def ran(result):
    return {"code": result.returncode, "stdout": result.stdout.decode(), "stderr": result.stderr.decode()}


def random_bytes(size):
    """The same bytes in every run, beginning with each stream id of the exec protocol."""
    return bytes([3, 0, 4, 1, 2, 255]) + random.Random(1).randbytes(size - 6)


def digest(data):
    return hashlib.sha256(data).hexdigest()


# Sprites


@step("sprite.create")
def _():
    return about(client.create_sprite("box", labels=["one", "two"], url_settings=URLSettings(auth="sprite")))


@step("sprite.create.taken")
def _():
    client.create_sprite("box")


@step("sprite.create.bad_name")
def _():
    client.create_sprite("Not A Name!")


@step("sprite.get")
def _():
    return about(client.get_sprite("box"))


@step("sprite.get.missing")
def _():
    client.get_sprite("nothing-here")


@step("sprite.bad_token")
def _():
    SpritesClient("not/the/right/token", base_url=ENDPOINT).get_sprite("box")


@step("sprite.update")
def _():
    return about(client.update_sprite("box", labels=["three"], url_settings=URLSettings(auth="public")))


@step("sprite.update.url")
def _():
    client.update_url_settings("box", URLSettings(auth="sprite"))
    return about(client.get_sprite("box"))


@step("sprite.update.bad_auth")
def _():
    client.update_url_settings("box", URLSettings(auth="nobody"))


@step("sprite.list")
def _():
    for number in range(105):
        client.create_sprite(f"page-{number:03}")
    first = client.list_sprites(ListOptions(prefix="page-", max_results=2))
    token = first.next_continuation_token
    second = client.list_sprites(ListOptions(prefix="page-", max_results=2, continuation_token=token))
    return [[[s.name for s in page.sprites], page.has_more] for page in (first, second)]


@step("sprite.list.all")
def _():
    names = [s.name for s in client.list_all_sprites("page-")]
    return {"count": len(names), "distinct": len(set(names)), "all": len(client.list_all_sprites())}


@step("sprite.upgrade")
def _():
    client.upgrade_sprite("box")


# Exec


@step("exec.run")
def _():
    return ran(box.run("sh", "-c", "echo out; echo err >&2", capture_output=True))


@step("exec.output")
def _():
    return box.command("echo", "hi").output().decode()


@step("exec.combined")
def _():
    return box.command("sh", "-c", "echo out; echo err >&2").combined_output().decode()


@step("exec.arguments")
def _():
    return box.command("printf", "%s|", "a b", "q'\"", "", "*", "$HOME", "+&%20=", "\n", "ü").output().decode()


@step("exec.env")
def _():
    env = {"PATH": "/usr/bin:/bin", "GREETING": "a b=c&d+e%20\nü"}
    return box.run("sh", "-c", "printf %s \"$GREETING\"", capture_output=True, env=env).stdout.decode()


@step("exec.dir")
def _():
    (fs / "work" / "file").write_text("")
    return box.run("sh", "-c", 'basename "$PWD"; ls', capture_output=True, cwd=f"{HOME}/work").stdout.decode()


@step("exec.exit_codes")
def _():
    scripts = ["exit 0", "exit 1", "exit 3", "exit 126", "exit 255", "kill -TERM $$", "kill -KILL $$"]
    return [box.run("sh", "-c", script).returncode for script in scripts]


@step("exec.check")
def _():
    box.run("sh", "-c", "echo oops >&2; exit 3", check=True, capture_output=True)


@step("exec.not_found")
def _():
    return box.run("surely-not-there").returncode


@step("exec.missing_sprite")
def _():
    client.sprite("nothing-here").run("true")


@step("exec.stdin")
def _():
    return box.command("cat", stdin=io.BytesIO(b"hi\nthere")).output().decode()


@step("exec.stdin.empty")
def _():
    return box.command("wc", "-c", stdin=io.BytesIO(b"")).output().decode().strip()


@step("exec.stdin.none")
def _():
    return box.command("wc", "-c").output().decode().strip()


@step("exec.stdin.unread")
def _():
    return box.command("head", "-c", "2", stdin=io.BytesIO(b"x" * (1 << 20))).output().decode()


@step("exec.binary")
def _():
    data = random_bytes(5 << 20)
    back = box.command("cat", stdin=io.BytesIO(data)).output()
    return {"size": len(back), "same": digest(back) == digest(data)}


@step("exec.binary.out")
def _():
    sink = Sink()
    box.command("head", "-c", "20000000", "/dev/zero", stdout=sink).run()
    return {"size": len(sink.data), "same": sink.data.count(0) == len(sink.data)}


@step("exec.tty")
def _():
    command = box.command("sh", "-c", "stty size; test -t 0 && test -t 1 && echo tty", tty=True, tty_rows=30, tty_cols=99)
    return command.output().decode()


@step("exec.tty.stdin")
def _():
    stdin = io.BytesIO(b"hello\n\x04")
    return box.command("cat", tty=True, stdin=stdin).output().decode()


@step("exec.tty.exit")
def _():
    return box.run("sh", "-c", "exit 7", tty=True).returncode


@step("exec.timeout")
def _():
    # The command outlives the time-out: the SDK only closes the socket.
    try:
        box.run("sh", "-c", "exec sleep 7001", timeout=1)
    except TimeoutError as error:
        left = any("7001" in s.command for s in box.list_sessions())
        return {"class": type(error).__name__, "remote_left": left}


# Sessions


@step("session.list")
def _():
    running = Background(box.command("sleep", "7002"))
    session = session_of("7002")
    kill_session(box, session.id)
    return {
        "command": session.command.rsplit("/", 1)[-1],
        "id": isinstance(session.id, str) and session.id != "",
        "tty": session.tty,
        "workdir": session.workdir != "",
        "age": abs(time.time() - session.created.timestamp()) < 60,
        "code": running.code(),
    }


@step("session.kill")
def _():
    running = Background(box.command("sh", "-c", "echo ready; exec sleep 7003"))
    running.out.wait_for(b"ready")
    events = list(kill_session(box, session_of("7003").id))
    until(lambda: not any("7003" in s.command for s in box.list_sessions()), "the end of the session")
    return {"code": running.code(), "events": [[event.type, event.data, event.error] for event in events]}


@step("session.kill.missing")
def _():
    kill_session(box, "999999999")


def two_clients(tty):
    """A session that waits for a file, a second client that attaches to it, then the file."""
    name = f"go-{tty}"
    script = f"echo ready; until test -e {name}; do sleep 0.05; done; echo done; exit 5"
    first = Background(box.command("sh", "-c", script, tty=tty))
    first.out.wait_for(b"ready")
    second = Background(box.attach_session(session_of(name).id))
    second.out.wait_for(b"ready")
    (fs / name).write_text("")
    return {"codes": [first.code(), second.code()], "ends": second.out.data.decode().split()[-1:]}


@step("session.attach")
def _():
    return two_clients(False)


@step("session.attach.tty")
def _():
    return two_clients(True)


@step("session.attach.missing")
def _():
    box.attach_session("999999999").run()


# Checkpoints


def told(messages):
    return [[message.type, message.data or message.error] for message in messages]


def last(messages):
    lines = told(messages)
    return {"types": [line[0] for line in lines], "last": lines[-1][1]}


@step("checkpoint.create")
def _():
    (fs / "state").write_text("before")
    lines = told(box.create_checkpoint("first, with \"quotes\" and ü"))
    ids = [data.split()[1] for _, data in lines if data and data.strip().startswith("ID: ")]
    return {"ids": ids, "last": lines[-1]}


@step("checkpoint.list")
def _():
    return [c.id for c in box.list_checkpoints()]


@step("checkpoint.get")
def _():
    checkpoint = box.get_checkpoint("v1")
    age = time.time() - checkpoint.create_time.timestamp()
    return {"id": checkpoint.id, "comment": checkpoint.comment, "age": -5 < age < 600}


@step("checkpoint.get.missing")
def _():
    box.get_checkpoint("v99")


@step("checkpoint.history")
def _():
    box.list_checkpoints("v0")


@step("checkpoint.restore")
def _():
    (fs / "state").write_text("after")
    (fs / "extra").write_text("")
    lines = last(box.restore_checkpoint("v1"))
    return lines | {"state": (fs / "state").read_text(), "extra": (fs / "extra").exists()}


@step("checkpoint.restore.missing")
def _():
    # No exception: the caller has to look.
    return [kind for kind, _ in told(box.restore_checkpoint("v99"))]


# Files


@step("fs.text")
def _():
    path = fs / "dir" / "a b+c%20ü.txt"
    path.write_text("grüße\n", mode=0o600)
    stat = path.stat()
    return [path.read_text(), stat.name, stat.size, stat.mode[-3:], stat.is_dir]


@step("fs.binary")
def _():
    data = random_bytes(3 << 20)
    (fs / "blob").write_bytes(data)
    back = (fs / "blob").read_bytes()
    return {"size": len(back), "same": digest(back) == digest(data)}


@step("fs.exec_sees_it")
def _():
    (fs / "seen").write_text("by the command")
    return box.command("cat", "seen").output().decode()


@step("fs.list")
def _():
    for name in ("x", "y", "z/deep"):
        (fs / "listed" / name).write_text("")
    return sorted((fs / "listed").listdir())


@step("fs.kinds")
def _():
    return [(fs / "listed/x").is_file(), (fs / "listed/x").exists(), (fs / "listed/none").exists()]


@step("fs.stat.directory")
def _():
    # The SDK takes the first entry of the listing: a child of the directory, not the directory.
    (fs / "parent" / "child").write_text("12345")
    stat = (fs / "parent").stat()
    return [stat.name, stat.size, stat.is_dir]


@step("fs.stat.empty_directory")
def _():
    # For the same reason an empty directory is not there.
    (fs / "hollow").mkdir(parents=True)
    return [(fs / "hollow").exists(), (fs / "hollow").listdir()]


@step("fs.mkdir")
def _():
    (fs / "made" / "deep").mkdir(parents=True)
    return box.command("ls", "-A", "made", "made/deep").output().decode()


@step("fs.rename")
def _():
    (fs / "old").write_text("moved")
    new = (fs / "old").rename(fs / "new")
    return [str(new), new.read_text(), (fs / "old").exists()]


@step("fs.copy")
def _():
    (fs / "listed").copy_to(fs / "copied")
    return sorted((fs / "copied").listdir())


@step("fs.chmod")
def _():
    (fs / "script").write_text("#!/bin/sh\necho ran\n")
    (fs / "script").chmod(0o755)
    return [(fs / "script").stat().mode[-3:], box.command("./script").output().decode()]


@step("fs.touch")
def _():
    (fs / "touched").touch()
    return (fs / "touched").read_text()


@step("fs.unlink")
def _():
    (fs / "gone").write_text("")
    (fs / "gone").unlink()
    (fs / "gone").unlink(missing_ok=True)
    return (fs / "gone").exists()


@step("fs.rmdir")
def _():
    (fs / "made" / "deep").rmdir()
    (fs / "made").rmdir()


@step("fs.rmtree")
def _():
    (fs / "copied").rmtree()
    return "copied" in fs.cwd.listdir()


@step("fs.read.missing")
def _():
    (fs / "none").read_text()


@step("fs.read.directory")
def _():
    (fs / "listed").read_bytes()


@step("fs.list.file")
def _():
    return (fs / "seen").listdir()


@step("fs.remove.not_empty")
def _():
    (fs / "listed").unlink()


@step("fs.remove.missing")
def _():
    (fs / "none").unlink()


# Services

SCRIPT = """\
echo "hello $GREETING"
trap 'echo signalled >> signals' USR1
while :; do sleep 0.05; done
"""


def events(stream):
    """Their types, each once in the order of the first, and what was printed."""
    seen = list(stream)
    printed = "".join(event.data or "" for event in seen if event.type == "stdout")
    logs = sorted(seen[-1].log_files or {}) if seen and seen[-1].type == "complete" else None
    return {"types": list(dict.fromkeys(e.type for e in seen)), "stdout": printed.strip(), "logs": logs}


def state(service):
    return {
        "name": service.name,
        "cmd": service.cmd,
        "args": len(service.args),
        "needs": service.needs,
        "http_port": service.http_port,
        "status": service.state and service.state.status,
        "pid": bool(service.state and service.state.pid),
    }


@step("service.create")
def _():
    env = {"PATH": "/usr/bin:/bin", "GREETING": "you"}
    return events(box.create_service("web", "sh", ["-c", SCRIPT], http_port=8080, duration=2.5, env=env, dir=HOME))


@step("service.create.second_port")
def _():
    box.create_service("other", "sleep", ["1000"], http_port=8081, duration=0.2)


@step("service.create.needs")
def _():
    box.create_service("worker", "sleep", ["1000"], needs=["web"], duration=0.2)
    return state(box.get_service("worker"))


@step("service.list")
def _():
    return sorted(s.name for s in box.list_services())


@step("service.get")
def _():
    return state(box.get_service("web"))


@step("service.get.missing")
def _():
    box.get_service("none")


@step("service.signal")
def _():
    box.signal_service("web", "USR1")
    return until(lambda: (fs / "signals").exists() and (fs / "signals").read_text(), "the service's trap")


@step("service.signal.bad")
def _():
    box.signal_service("web", "NOSUCH")


@step("service.signal.missing")
def _():
    box.signal_service("none", "USR1")


@step("service.stop")
def _():
    return [events(box.stop_service("web", 5.0))["types"], state(box.get_service("web"))["status"]]


@step("service.signal.stopped")
def _():
    box.signal_service("web", "USR1")


@step("service.start")
def _():
    types = events(box.start_service("web", 0.2))["types"]
    return [[kind for kind in types if kind != "stdout"], state(box.get_service("web"))["status"]]


@step("service.delete")
def _():
    for name in ("worker", "web"):
        list(box.stop_service(name, 5.0))
        box.delete_service(name)
    return [s.name for s in box.list_services()]


@step("service.delete.missing")
def _():
    # The method takes any failure for one of its general kind.
    box.delete_service("none")


# Policy


@step("policy.network")
def _():
    rules = [PolicyRule(domain="*.example.com", action="allow"), PolicyRule(include="defaults")]
    box.update_network_policy(NetworkPolicy(rules=rules))
    return [[rule.domain, rule.action, rule.include] for rule in box.get_network_policy().rules]


@step("policy.network.bad")
def _():
    box.update_network_policy(NetworkPolicy(rules=[PolicyRule(domain="example.com", action="maybe")]))


@step("policy.network.empty")
def _():
    box.update_network_policy(NetworkPolicy(rules=[]))
    return box.get_network_policy().rules


# The control socket, which this server may not have: then the SDK goes on without


@step("control.fallback")
def _():
    return SpritesClient(TOKEN, base_url=ENDPOINT, control_mode=True).sprite("box").command("echo", "hi").output().decode()


# The asynchronous client


async def asynchronous():
    async with AsyncSpritesClient(TOKEN, base_url=ENDPOINT) as client:
        box = await client.create_sprite("async-box", labels=["async"])
        yield "create", [box.name, box.labels]
        yield "get", (await client.get_sprite("async-box")).name
        page = await client.list_sprites(ListOptions(prefix="async-"))
        yield "list", [sprite.name for sprite in page.sprites]
        yield "list.all", len(await client.list_all_sprites("page-"))
        await client.update_url_settings("async-box", URLSettings(auth="public"))
        yield "update", (await client.update_sprite("async-box", labels=["more"])).labels
        await client.upgrade_sprite("async-box")
        result = await box.run("sh", "-c", "echo out; echo err >&2; exit 3", capture_output=True)
        yield "run", ran(result)
        yield "output", (await box.command("cat", stdin=io.BytesIO(b"hi")).output()).decode()
        outputs = await asyncio.gather(*(box.command("echo", str(n)).output() for n in range(8)))
        yield "parallel", [int(output) for output in outputs]
        files = box.filesystem(HOME)
        await (files / "dir" / "file").write_text("text")
        await (files / "dir" / "file").rename(files / "dir" / "moved")
        await (files / "dir" / "moved").copy_to(files / "dir" / "again")
        await (files / "dir" / "again").chmod(0o700)
        yield "fs", [await (files / "dir" / "again").read_text(), sorted(await (files / "dir").listdir())]
        await (files / "dir" / "again").unlink()
        await (files / "dir").rmtree()
        yield "fs.removed", await (files / "dir").exists()
        yield "sessions", await box.list_sessions()
        yield "checkpoint.create", last(await box.create_checkpoint("async"))["last"]
        yield "checkpoint.list", [c.id for c in await box.list_checkpoints()]
        yield "checkpoint.get", (await box.get_checkpoint("v1")).comment
        yield "checkpoint.restore", last(await box.restore_checkpoint("v1"))["last"]
        started = list(await box.create_service("web", "sh", ["-c", ALIVE], duration=0.2))
        yield "service.create", started[0].type
        yield "service.list", [s.name for s in await box.list_services()]
        await box.signal_service("web", "USR1")
        stopped = list(await box.stop_service("web", 5.0))
        yield "service.stop", [stopped[-1].type, (await box.get_service("web")).state.status]
        await box.delete_service("web")
        await box.update_network_policy(NetworkPolicy(rules=[PolicyRule(domain="*", action="deny")]))
        yield "policy", [[r.domain, r.action] for r in (await box.get_network_policy()).rules]
        await box.delete()
        yield "delete", [s.name for s in (await client.list_sprites(ListOptions(prefix="async-"))).sprites]


@step("async")
def _():
    async def all_of_it():
        return {name: value async for name, value in asynchronous()}

    return asyncio.run(all_of_it())


# The end


@step("sprite.delete")
def _():
    client.delete_sprite("page-000")
    client.sprite("page-001").destroy()
    box.delete()
    return len(client.list_all_sprites())


@step("sprite.delete.missing")
def _():
    box.delete()


# Jobs: (sprite, arguments), each in the way that the SDK documents


def make(sprite, text):
    """Something for another client to see: a label, a file, a checkpoint."""
    sprite = client.create_sprite(sprite.name, labels=["made"])
    (sprite.filesystem(HOME) / "note").write_text(text)
    list(sprite.create_checkpoint(text))


def look(sprite):
    """What another client made."""
    checkpoints = [[c.id, c.comment] for c in sprite.list_checkpoints() if c.id not in ("Current", "v0")]
    seen = {
        "labels": client.get_sprite(sprite.name).labels,
        "note": (sprite.filesystem(HOME) / "note").read_text(),
        "output": sprite.command("cat", "note").output().decode(),
        "checkpoints": checkpoints,
    }
    print(json.dumps(seen))


def exec_true(sprite, count):
    for _ in range(int(count)):
        sprite.run("true", check=True)


def exec_out(sprite, size):
    sprite.command("head", "-c", size, "/dev/zero", stdout=sys.stdout.buffer).run()


def exec_in(sprite, size):
    class Zeros(io.RawIOBase):
        left = int(size)

        def read(self, wanted=-1):
            self.left -= (part := min(wanted, self.left))
            return bytes(part)

    said = sprite.command("wc", "-c", stdin=Zeros()).output()
    if int(said) != int(size):
        raise SystemExit(f"{int(said)} bytes arrived, not {size}")


def cp_up(sprite, local, remote):
    with open(local, "rb") as file:
        (sprite.filesystem() / remote).write_bytes(file.read())


def cp_down(sprite, remote, local):
    with open(local, "wb") as file:
        file.write((sprite.filesystem() / remote).read_bytes())


def cp_many(sprite, local, remote):
    files = sprite.filesystem()
    for name in os.listdir(local):
        with open(os.path.join(local, name), "rb") as file:
            (files / remote / name).write_bytes(file.read())


def cp_many_down(sprite, remote, local):
    for path in (sprite.filesystem() / remote).iterdir():
        with open(os.path.join(local, path.name), "wb") as file:
            file.write(path.read_bytes())


def list_all(_sprite, prefix=""):
    for sprite in client.list_all_sprites(prefix or None):
        print(sprite.name)


MODES = {
    "make": make,
    "look": look,
    "exec-true": exec_true,
    "exec-out": exec_out,
    "exec-in": exec_in,
    "cp-up": cp_up,
    "cp-down": cp_down,
    "cp-many": cp_many,
    "cp-many-down": cp_many_down,
    "list": list_all,
}

if __name__ == "__main__":
    if sys.argv[1] == "steps":
        run_steps()
        # A step that was given up may still hold a thread.
        sys.stdout.flush()
        os._exit(0)
    mode, sprite, *rest = sys.argv[1:]
    MODES[mode](client.sprite(sprite), *rest)
