"""Runs commands of the official CLI one after another in one process, since each start of it takes a second.

A line of stdin is a JSON list of arguments; a line of stdout is what became of them. Waiting is done in the blink of an
eye: the simulator needs no more.
"""

import json
import sys
import time

from typer import main, testing
from verge_cli.cli import app

BLINK = 0.02

sleep = time.sleep
time.sleep = lambda seconds: sleep(min(seconds, BLINK))

# The tree of commands is built once: that takes longer than to run one of them.
command = main.get_command(app)
testing._get_command = lambda _: command

for line in sys.stdin:
    result = testing.CliRunner().invoke(app, json.loads(line))
    failure = result.exception if not isinstance(result.exception, SystemExit) else None
    print(json.dumps({"exit": result.exit_code, "output": result.output, "failure": failure and repr(failure)}), flush=True)
