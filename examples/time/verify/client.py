"""Calls the function with the Python client of AWS's run-mcp-servers-with-aws-lambda, as its documentation shows.

usage: client.py FUNCTION REGION TOOL ARGUMENTS_AS_JSON
Prints what the server said to initialize, tools/list and tools/call, as one JSON object.
"""

import asyncio
import json
import sys

from mcp import ClientSession
from mcp_lambda import LambdaFunctionParameters, lambda_function_client


async def main(function_name: str, region_name: str, tool: str, arguments: str) -> None:
    server_params = LambdaFunctionParameters(function_name=function_name, region_name=region_name)
    async with lambda_function_client(server_params) as (read_stream, write_stream):
        async with ClientSession(read_stream, write_stream) as session:
            initialized = await session.initialize()
            tools = await session.list_tools()
            called = await session.call_tool(tool, json.loads(arguments))
    results = {"initialize": initialized, "tools/list": tools, "tools/call": called}
    print(json.dumps({name: result.model_dump(by_alias=True, exclude_none=True, mode="json") for name, result in results.items()}))


asyncio.run(main(*sys.argv[1:]))
