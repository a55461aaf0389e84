"""A small MCP server over stdio: one tool that answers with a sentence and the picture in $PICTURE."""

import json
import os
import sys

TOOL = {
    "name": "snapshot",
    "description": "Takes a picture of a place.",
    "inputSchema": {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]},
}


def answer(method, params):
    if method == "initialize":
        version = params["protocolVersion"]
        return {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": {"name": "harbour", "version": "1"}}
    if method == "tools/list":
        return {"tools": [TOOL]}
    if method == "tools/call":
        text = f"This is {params['arguments']['place']}."
        picture = {"type": "image", "data": os.environ["PICTURE"], "mimeType": "image/png"}
        return {"content": [{"type": "text", "text": text}, picture]}
    return {}


for line in sys.stdin:
    request = json.loads(line)
    if "id" in request:
        result = answer(request["method"], request.get("params") or {})
        print(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}), flush=True)
