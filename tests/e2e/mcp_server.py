"""A small MCP server over stdio: two tools that answer with a sentence and the picture in $PICTURE."""

import json
import os
import sys

NAMES = ["snapshot", "a_snapshot_of_a_place_with_a_name_that_is_longer_than_sixty_four_characters"]
SCHEMA = {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]}
TOOLS = [{"name": name, "description": "Takes a picture of a place.", "inputSchema": SCHEMA} for name in NAMES]


def answer(method, params):
    if method == "initialize":
        version = params["protocolVersion"]
        return {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": {"name": "harbour", "version": "1"}}
    if method == "tools/list":
        return {"tools": TOOLS}
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
