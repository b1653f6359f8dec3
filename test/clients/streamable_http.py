"""The Python SDK's client of Streamable HTTP: lists the tools of the server at a URL, and calls `echo`."""

import asyncio
import sys

from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client


async def main(url: str) -> None:
    async with streamablehttp_client(url) as (read, write, _):
        async with ClientSession(read, write) as session:
            await session.initialize()
            tools = await session.list_tools()
            answer = await session.call_tool("echo", {"message": "hello"})
            print(len(tools.tools), answer.content[0].text)


asyncio.run(main(sys.argv[1]))
