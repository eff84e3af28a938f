"""A plugin whose event `number` is the lines of a file: `counting.py VERSION [answer|ask]`.

Where a source stands is kept by the hub: told with the answer to `acknowledge`, or asked for before it is answered.
"""
import base64
import json
import sys

version, way = int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "answer"
EVENT = {"id": "number", "title": "Number", "summary": "Lines of a file.", "delivery": "atLeastOnce", "ordered": True}
DESCRIPTOR = {"id": "counting", "version": 1, "title": "Counting", "summary": "Counts.", "events": [EVENT]}
connection, sources = {}, {}


def send(**message):
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)


def event(number, line):
    return {"id": f"line-{number}", "payload": base64.b64encode(line.encode()).decode(), "contentType": "text/plain"}


def arm(params):
    replay = params.get("replay")
    start = replay["from"] if replay else params.get("position", 0)
    sources[params["source"]] = {"next": start, "end": replay["to"] if replay else None, "out": {}, "batch": 0}
    return {}


def read(params):
    source = sources[params["source"]]
    lines = open(connection["file"], encoding="utf-8").read().splitlines()[: source["end"]]
    first = source["next"]
    last = min(first + params["maximum"], len(lines))
    if first >= last:
        return {"batch": None} if source["end"] is None else {"interruption": "endOfInput"}
    source["next"], source["batch"] = last, source["batch"] + 1
    source["out"][source["batch"]] = last
    return {"batch": {"id": source["batch"], "events": [event(n, lines[n]) for n in range(first, last)]}}


METHODS = {
    "initialize": lambda params: {"protocolVersion": version, "descriptor": DESCRIPTOR},
    "connect": lambda params: connection.update(params["parameters"]) or {},
    "arm": arm, "open": lambda params: {}, "read": read, "ping": lambda params: {}, "close": lambda params: {},
    "disarm": lambda params: sources.pop(params["source"], None) and {} or {},
}
waiting = {}
for message in map(json.loads, sys.stdin):
    method, params, id = message.get("method"), message.get("params"), message.get("id")
    if method is None:  # what was asked is answered
        acknowledged = waiting.pop(id)
        if "error" in message:
            send(id=acknowledged, error={"code": -32000, "message": "", "data": message["error"]["data"]})
        else:
            send(id=acknowledged, result={})
    elif id is None:
        pass
    elif method in ("read", "acknowledge") and params["source"] not in sources:
        send(id=id, error={"code": -32001, "message": "It was armed in an earlier process."})
    elif method == "acknowledge":
        position = sources[params["source"]]["out"].pop(params["batch"])
        if way == "answer":
            send(id=id, result={"position": position})
        else:
            waiting[f"save-{id}"] = id
            send(id=f"save-{id}", method="save", params={"source": params["source"], "position": position})
    elif method in METHODS:
        send(id=id, result=METHODS[method](params))
    else:
        send(id=id, error={"code": -32601, "message": "There is no method " + method})
