"""Drives the official Python SDK of the Model Context Protocol, unmodified, against a server on stdio.

    driver.py COMMAND [ARG...]      stdin: one JSON line per call, {"tool": …, "arguments": {…}}

Prints one JSON line for the tools, then one for each call.
"""

import asyncio
import json
import os
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client


async def main():
    calls = [json.loads(line) for line in sys.stdin if line.strip()]
    server = StdioServerParameters(command=sys.argv[1], args=sys.argv[2:], env=dict(os.environ))
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        began = await session.initialize()
        tools = (await session.list_tools()).tools
        about = {"server": began.server_info.name, "version": began.protocol_version}
        about["tools"] = {tool.name: tool.input_schema["properties"].get("verb", {}).get("enum") for tool in tools}
        about["read_only"] = {tool.name: tool.annotations.read_only_hint for tool in tools}
        print(json.dumps(about), flush=True)
        for call in calls:
            done = await session.call_tool(call["tool"], call["arguments"])
            text = "\n".join(part.text for part in done.content)
            print(json.dumps({"failed": done.is_error, "data": done.structured_content, "text": text}), flush=True)


asyncio.run(main())
