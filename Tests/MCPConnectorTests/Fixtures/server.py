"""A server written with the official Python SDK: `server.py stdio` or `server.py http PORT`."""
import asyncio
import logging
import sys

from mcp.server.mcpserver import Context, MCPServer
from mcp.types import EmptyResult, SubscribeRequestParams, ToolAnnotations

logging.disable(logging.WARNING)
server = MCPServer("Arithmetic")


@server.tool(annotations=ToolAnnotations(readOnlyHint=True))
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


@server.tool()
def fail(reason: str) -> str:
    """Fails."""
    raise ValueError(reason)


@server.tool()
async def wait(seconds: float) -> str:
    """Waits."""
    await asyncio.sleep(seconds)
    return "done"


@server.tool(annotations=ToolAnnotations(idempotentHint=True))
async def grow(name: str, ctx: Context) -> str:
    """Adds a tool, and says so."""

    def grown(text: str) -> str:
        return f"{name}: {text}"

    server.add_tool(grown, name=name, description="Was added later.")
    await ctx.session.send_tool_list_changed()
    return "grown"


counter = {"value": 0}
subscribed = set()


async def subscribe(context, params):
    subscribed.add(str(params.uri))
    return EmptyResult()


# The SDK leaves this to servers of its lower layer.
server._lowlevel_server.add_request_handler("resources/subscribe", SubscribeRequestParams, subscribe)


@server.resource("counter://value", mime_type="text/plain")
def value() -> str:
    """A number that changes."""
    return str(counter["value"])


@server.tool()
async def count(to: int, tell: bool, ctx: Context) -> str:
    """Sets the number, and says so to those who subscribed, if asked to."""
    counter["value"] = to
    if tell and "counter://value" in subscribed:
        await ctx.session.send_resource_updated("counter://value")
    return str(to)


@server.tool(name="Big Text")
def big(count: int) -> str:
    """Makes a long text."""
    return "x" * count


if sys.argv[1] == "stdio":
    server.run("stdio")
else:
    server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[2]))
