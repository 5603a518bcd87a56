"""A machine that is registered with Rexec as an agent: `agent.py ID TOKEN` connects to the server, and gives every
session that is asked for a real shell in a real terminal."""

import asyncio
import base64
import fcntl
import json
import os
import pty
import struct
import sys
import termios

import websockets

URL = os.environ["REXEC_URL"].rstrip("/").replace("http", "ws", 1)


class Shell:
    """One session's shell."""

    def __init__(self, session, say):
        self.session, self.say = session, say
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(os.environ["HOME"])
            os.execv("/bin/bash", ["bash", "--norc", "-i"])
        asyncio.get_running_loop().add_reader(self.fd, self.read)

    def read(self):
        try:
            data = os.read(self.fd, 4096)
        except OSError:
            data = b""
        if data:
            self.say("shell_output", session_id=self.session, data=base64.b64encode(data).decode())
        else:
            self.end()
            self.say("shell_stopped", session_id=self.session)

    def resize(self, cols, rows):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def write(self, data):
        while data:
            data = data[os.write(self.fd, data) :]

    def end(self):
        if self.fd is not None:
            asyncio.get_running_loop().remove_reader(self.fd)
            os.close(self.fd)
            self.fd = None
            os.waitpid(self.pid, 0)


async def main(id, token):
    outgoing, shells = asyncio.Queue(), {}

    def say(kind, **data):
        outgoing.put_nowait(json.dumps({"type": kind, "data": data}))

    async with websockets.connect(f"{URL}/ws/agent/{id}?token={token}", max_size=None) as socket:

        async def send():
            while True:
                await socket.send(await outgoing.get())

        sending = asyncio.create_task(send())
        print("connected", flush=True)
        async for message in socket:
            frame = json.loads(message)
            kind, data = frame["type"], frame.get("data") or {}
            session = data.get("session_id")
            shell = shells.get(session)
            if kind == "shell_start" and shell is None:
                say("shell_starting", session_id=session)
                shells[session] = Shell(session, say)
                say("shell_started", session_id=session)
            elif shell is not None and shell.fd is not None:
                if kind == "shell_input":
                    shell.write(base64.b64decode(data["data"]))
                elif kind == "shell_resize":
                    shell.resize(data["cols"], data["rows"])
                elif kind == "shell_stop_session":
                    shells.pop(session).end()
        sending.cancel()


asyncio.run(main(sys.argv[1], sys.argv[2]))
