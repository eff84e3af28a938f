"""Talks to an MCP server with the official Python SDK: `client.py COMMAND…` reads calls from stdin, one JSON a line.

Prints the names of the tools, then each result, one JSON a line.
"""
import asyncio
import json
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client


async def main():
    parameters = StdioServerParameters(command=sys.argv[1], args=sys.argv[2:])
    async with stdio_client(parameters) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        tools = await session.list_tools()
        print(json.dumps([tool.name for tool in tools.tools]), flush=True)
        for line in sys.stdin:
            call = json.loads(line)
            result = await session.call_tool(call["name"], call["arguments"])
            fields = result.model_dump(by_alias=True, mode="json")
            print(json.dumps({key: fields.get(key) for key in ("isError", "structuredContent", "content")}), flush=True)


asyncio.run(main())
