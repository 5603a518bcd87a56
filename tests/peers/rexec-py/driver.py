"""A client of Rexec written from the page of its Python SDK, and what must hold when it is used.

`driver.py server` corrects that page where servers differ from it: answers are objects, creation goes on by itself,
terminals speak in JSON. `driver.py sdk` takes the page at its word. `driver.py bench WHAT` does what the benchmarks
compare: `true`, `out` (so many bytes of output), `up` (a folder of small files).
"""

import asyncio
import base64
import json
import os
import re
import sys
import time
import uuid
from pathlib import Path

import httpx
import websockets

URL = os.environ["REXEC_URL"].rstrip("/")
TOKEN = os.environ["REXEC_TOKEN"]
SERVER = len(sys.argv) < 2 or sys.argv[1] != "sdk"


class RexecAPIError(Exception):
    def __init__(self, status_code, message, retry_after=0):
        super().__init__(f"{status_code}: {message}")
        self.status_code, self.message, self.retry_after = status_code, message, retry_after


class Terminal:
    def __init__(self, socket):
        self.socket, self.shells = socket, 0

    async def write(self, data):
        if SERVER:
            await self.socket.send(json.dumps({"type": "input", "data": data.decode()}))
        else:
            await self.socket.send(data)

    async def resize(self, cols, rows):
        await self.socket.send(json.dumps({"type": "resize", "cols": cols, "rows": rows}))

    async def read(self):
        """The next output; None once the shell has ended."""
        while True:
            message = await self.socket.recv()
            if not SERVER:
                return message.encode() if isinstance(message, str) else message
            frame = json.loads(message)
            if frame["type"] == "shell_starting":
                self.shells += 1
                if self.shells > 1:
                    return None
            if frame["type"] == "output":
                return frame["data"].encode()

    async def ready(self):
        while SERVER and json.loads(await self.socket.recv())["type"] != "shell_ready":
            pass
        self.shells = 1

    async def until(self, pattern, seen=b""):
        while not re.search(pattern, seen):
            data = await asyncio.wait_for(self.read(), 20)
            assert data is not None, f"the shell ended before {pattern!r}: {seen!r}"
            seen += data
        return seen


class Client:
    def __init__(self):
        self.http = httpx.AsyncClient(base_url=URL, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30)

    async def call(self, method, path, **options):
        response = await self.http.request(method, path, **options)
        if response.status_code >= 400:
            body = response.json()
            raise RexecAPIError(response.status_code, body.get("error") or body.get("message"), body.get("retry_after"))
        return response

    async def list(self):
        answer = (await self.call("GET", "/api/containers")).json()
        assert isinstance(answer, dict if SERVER else list), answer
        return answer["containers"] if SERVER else answer

    async def create(self, image, name):
        answer = await self.call("POST", "/api/containers", json={"image": image, "name": name, "role": "barebone"})
        made = answer.json()
        if not SERVER:
            return made
        assert answer.status_code == 202 and made["status"] == "creating" and made["async"], made
        assert uuid.UUID(made["id"]) and made["id"] == made["db_id"], made
        for _ in range(200):
            now = (await self.call("GET", f"/api/containers/{made['db_id']}")).json()
            if now["status"] == "running" and re.fullmatch(r"[0-9a-f]{64}", now["id"]):
                return now
            await asyncio.sleep(0.05)
        raise AssertionError(f"it is not made: {now}")

    def terminal(self, container, token_in="header"):
        url = URL.replace("http", "ws", 1) + f"/ws/terminal/{container}?id={uuid.uuid4()}&newSession=true"
        if token_in == "protocol":
            return websockets.connect(url, subprotocols=["rexec.v1", f"rexec.token.{TOKEN}"], max_size=None)
        return websockets.connect(url, additional_headers={"Authorization": f"Bearer {TOKEN}"}, max_size=None)


async def refused(status, awaitable):
    try:
        await awaitable
    except RexecAPIError as error:
        assert error.status_code == status, error
        return error.message
    raise AssertionError(f"{status} was expected")


async def files(client, id):
    base = f"/api/containers/{id}/files"

    async def listed(path):
        answer = (await client.call("GET", f"{base}/list", params={"path": path})).json()
        return answer["files"] if SERVER else answer

    if SERVER:
        assert await listed("/home/user/nothing") is None
        await refused(400, client.call("POST", f"{base}/mkdir", json={"path": "/home/user/dir"}))
        await client.call("POST", f"{base}/mkdir", params={"path": "/home/user/dir"})
        upload = {"files": {"file": ("a b.txt", b"con\xfftent")}, "params": {"path": "/home/user/dir"}}
        await client.call("POST", base, **upload)
    else:
        await client.call("POST", f"{base}/mkdir", json={"path": "/home/user/dir"})
        content = base64.b64encode(b"con\xfftent").decode()
        await client.call("POST", base, json={"path": "/home/user/dir/a b.txt", "content": content})
    found = await listed("/home/user/dir/")
    assert [(file["name"], file["size"], file["is_dir"]) for file in found] == [("a b.txt", 8, False)], found
    answer = await client.call("GET", base, params={"path": "/home/user/dir/a b.txt"})
    assert answer.content == b"con\xfftent"
    assert answer.headers["x-file-mode"] == "-rw-r--r--"
    await client.call("DELETE", base, params={"path": "/home/user/dir"})
    if SERVER:
        await refused(403, client.call("DELETE", base, params={"path": "/etc/x"}))
        await refused(404, client.call("GET", base, params={"path": "/home/user/nothing"}))
        # What is kept in memory is not seen by archives.
        await client.call("POST", base, files={"file": ("hidden", b"x")}, params={"path": "/tmp"})
        assert not any(file["name"] == "hidden" for file in await listed("/tmp/") or [])


async def terminals(client, id):
    async with client.terminal(id) as socket:
        term = Terminal(socket)
        await term.ready()
        await term.resize(150, 50)
        await term.write(b"stty size; echo one$((1+1))\n")
        seen = await term.until(rb"one2\r?\n")
        assert b"50 150" in seen, seen
        await term.write(b"printf 'h\\303\\251\\377|\\n'\n")
        # What is no UTF-8 is lost.
        await term.until("h\u00e9\\|\r?\n".encode())
        if SERVER:
            await socket.send('{"a":1}\n')
            await socket.send("echo raw$((1+1))\n")
            await term.until(rb"raw2\r?\n")
            # A shell that ends is followed by another one on the same socket.
            await term.write(b"exit\n")
            while await term.read() is not None:
                pass
    if SERVER:
        async with client.terminal(id, "protocol") as socket:
            assert socket.subprotocol == "rexec.v1"
        async with client.terminal("nothing") as _:
            raise AssertionError("there is no such terminal")


async def check():
    client = Client()
    version = (await client.call("GET", "/api/version")).json()
    assert version["mode"] == ("server" if SERVER else "sdk"), version
    name = "worker-1"
    if SERVER:
        await refused(400, client.create("ubuntu:24.04", name))
    made = await client.create("ubuntu" if SERVER else "ubuntu:24.04", name)
    id = made["id"]
    assert name in [container["name"] for container in await client.list()]
    await files(client, id)
    try:
        await terminals(client, id)
    except websockets.exceptions.InvalidStatus as error:
        assert SERVER and error.response.status_code == 404, error
        assert json.loads(error.response.body)["code"] == "container_not_found"
    await client.call("POST", f"/api/containers/{id}/stop")
    if SERVER:
        await refused(409, client.create("ubuntu", name))
        await refused(404, client.call("POST", f"/api/containers/{made['db_id']}/start"))
        bad = httpx.get(URL + "/api/containers", headers={"Authorization": "Bearer no"})
        assert bad.status_code == 401, bad
        assert bad.headers["x-ratelimit-limit"] == "500"
    await client.call("POST", f"/api/containers/{id}/start")
    await client.call("DELETE", f"/api/containers/{id}")
    assert name not in [container["name"] for container in await client.list()]
    await refused(404, client.call("GET", f"/api/containers/{id}"))
    print("ok")


async def run(client, id, command):
    """The output of a command as the page's script has it, between two marks; for the benchmarks."""
    mark = uuid.uuid4().hex
    async with client.terminal(id) as socket:
        term = Terminal(socket)
        await term.ready()
        await term.write(f"stty -echo; printf '%s%s\\n' {mark} begin; {command}; printf '%s%s\\n' {mark} $?\n".encode())
        chunks = []
        while True:
            chunks.append(await term.read())
            if re.search(mark.encode() + rb"\d+\r?\n", b"".join(chunks[-3:])):
                return b"".join(chunks)


async def patient(call):
    """A call that waits as long as the server wants, which answers so many requests a minute and no more."""
    while True:
        try:
            return await call()
        except RexecAPIError as error:
            if error.status_code != 429:
                raise
            await asyncio.sleep(error.retry_after)
        except httpx.ReadError:
            # The answer came before all was sent, and the connection went with it.
            await asyncio.sleep(1)


async def bench(what, target, argument):
    client = Client()
    id = next(container["id"] for container in await client.list() if container["name"] == target)
    begun = time.monotonic()
    if what == "true":
        await run(client, id, "true")
    elif what == "out":
        text = await run(client, id, f"head -c {argument} /dev/zero | base64")
        assert len(text) > int(argument)
    elif what == "up":
        base = f"/api/containers/{id}/files"
        await client.call("POST", f"{base}/mkdir", params={"path": "/home/user/up"})
        for path in sorted(Path(argument).iterdir()):
            upload = {"files": {"file": (path.name, path.read_bytes())}, "params": {"path": "/home/user/up"}}
            await patient(lambda: client.call("POST", base, **upload))
    print(f"{time.monotonic() - begun:.3f}")


if __name__ == "__main__":
    if len(sys.argv) > 2 and sys.argv[1] == "bench":
        asyncio.run(bench(sys.argv[2], sys.argv[3], sys.argv[4] if len(sys.argv) > 4 else ""))
    else:
        asyncio.run(check())
