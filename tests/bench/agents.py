"""Agents: what an agent says, read by `agent run` and by a reader in asyncio that does what pidriver's transport does.

The agent is a shell script that answers as pi does and then writes a file of events: those that the real programs were
recorded with, again and again."""

import json
import stat
import sys

from measure import ROOT, Row, Side

TRANSCRIPTS = ROOT / "tests/cli/agent/transcripts"

# One dialect repeats the message with every piece, the other does not.
RECORDED = ("pi-0.73.1-tool", "pi-0.73.1-plain", "pi-0.87.1-tool", "pi-0.87.1-think", "pi-0.87.1-toolwrite")

# What ends a prompt, or answers a command.
LEFT_OUT = {"response", "agent_end", "agent_settled", "extension_ui_request"}

AGENT = r"""#!/bin/sh
[ "$1" = --version ] && { echo 0.87.1; exit; }
ok() {
    id=${1#*'"id":"'}
    printf '{"id":"%s","type":"response","command":"%s","success":true,"data":%s}\n' "${id%%'"'*}" "$2" "${3:-null}"
}
state='{"model":{"id":"m","provider":"p"},"sessionId":"s1","isStreaming":false}'
read -r line; ok "$line" get_state "$state"
read -r line; ok "$line" prompt; echo '{"type":"agent_start"}'
[ -z "$EVENTS" ] || cat "$EVENTS"
printf '{"type":"agent_end","willRetry":false}\n{"type":"agent_settled"}\n'
read -r line
exit 0
"""

READER = r'''
import asyncio, json, sys

LIMIT = 64 * 1024 * 1024

async def records(stream):
    """Reads of 64 KiB, lines by `\n` alone, one `\r` less, each an object or an error."""
    buffer = bytearray()
    while chunk := await stream.read(65536):
        buffer += chunk
        while (end := buffer.find(b"\n")) >= 0:
            line = bytes(buffer[:end]).rstrip(b"\r")
            del buffer[: end + 1]
            if not line.strip():
                continue
            record = json.loads(line)
            if not isinstance(record, dict):
                raise ValueError("no object")
            yield record
        if len(buffer) > LIMIT:
            raise ValueError("too long")

async def main():
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(*sys.argv[1:], "--mode", "rpc", stdin=pipe, stdout=pipe)
    async def send(record):
        child.stdin.write(json.dumps(record).encode() + b"\n")
        await child.stdin.drain()
    await send({"id": "cmd-1", "type": "get_state"})
    await send({"id": "cmd-2", "type": "prompt", "message": "hello"})
    count = 0
    async for record in records(child.stdout):
        count += 1
        if record["type"] == "agent_settled":
            break
    child.stdin.close()
    await child.wait()

asyncio.run(main())
'''


def events(path, size):
    """At least `size` bytes of what the real programs said."""
    lines = []
    for name in RECORDED:
        # U+2028 stands in some of them as it is.
        for text in (TRANSCRIPTS / f"{name}.jsonl").read_text().split("\n"):
            record = json.loads(text) if text else {}
            message = record.get("msg", {})
            if record.get("dir") == "out" and message.get("type") not in LEFT_OUT:
                lines.append(json.dumps(message, separators=(",", ":"), ensure_ascii=False))
    block = ("\n".join(lines) + "\n").encode()
    with open(path, "wb") as file:
        for _ in range(size // len(block) + 1):
            file.write(block)


def rows(bench):
    agent, reader, said = (bench.scratch / name for name in ("pi", "reader.py", "events.jsonl"))
    agent.write_text(AGENT)
    agent.chmod(agent.stat().st_mode | stat.S_IXUSR)
    reader.write_text(READER)
    events(said, bench.size)
    config = bench.scratch / "esker.yaml"
    config.write_text(f"endpoints:\n  pi: {{provider: pi, binary: {agent}, pass_env: [EVENTS]}}\n")
    run = [bench.esker, "--config", str(config), "--target", "pi", "agent", "run", "hello"]

    read = Row(
        f"agents: {bench.label} of events",
        Side([*run, "-o", "jsonl"]),
        {"asyncio": Side([sys.executable, str(reader), str(agent)])},
        bench.few,
    )
    read.env = {"ANTHROPIC_API_KEY": "k", "EVENTS": str(said)}
    yield read
    # What it takes beyond the agent itself, which is fed by a pipe here.
    commands = r"""printf '{"id":"1","type":"get_state"}\n{"id":"2","type":"prompt"}\n{}\n' | """
    alone = Side(["sh", "-c", f"{commands}'{agent}' --mode rpc"])
    start = Row("agents: start of agent run", Side(run), {"the agent alone": alone}, bench.runs)
    start.env = {"ANTHROPIC_API_KEY": "k", "EVENTS": ""}
    yield start
