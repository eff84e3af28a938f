#!/usr/bin/env python3
"""SQLite files as a connector: a Junction plugin. It reads one JSON-RPC message a line and answers on stdout."""
import json
import sqlite3
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

def schema(required, **properties):
    return {"type": "object", "required": required, "additionalProperties": False, "properties": properties}

INPUT = schema(["sql"], sql={"type": "string"}, arguments={"type": "array"})
QUERY = {"id": "query", "title": "Query", "summary": "Returns the rows of a SELECT.", "effect": "read",
         "idempotency": "natural", "input": INPUT, "output": schema(["rows"], rows={"type": "array"})}
EXECUTE = {"id": "execute", "title": "Execute", "summary": "Carries out one statement.", "effect": "other",
           "idempotency": "none", "input": INPUT, "output": schema(["count"], count={"type": "integer"})}
DESCRIPTOR = {"id": "sqlite", "version": 1, "title": "SQLite", "summary": "Reads and writes a SQLite file.",
              "parameters": schema(["file"], file={"type": "string"}), "operations": [QUERY, EXECUTE]}
connection, running, output = {}, {}, threading.Lock()

class Failure(Exception):
    def __init__(self, kind, message, remedy="Correct the call."):
        self.error = {"kind": kind, "message": message, "remedy": remedy}

def checked(value, rules):
    fields = value if isinstance(value, dict) else {"a value that is no object": value}
    wrong = [k for k in fields if k not in rules["properties"]] + [k for k in rules["required"] if k not in fields]
    if wrong:
        raise Failure("validation", "Unknown or missing: " + ", ".join(wrong) + ".")
    return fields

def run(id, sql, arguments=()):
    running[id] = database = sqlite3.connect(connection["file"])
    try:
        with database:
            cursor = database.execute(sql, arguments)
            names = [column[0] for column in cursor.description or []]
            return {"rows": [dict(zip(names, row)) for row in cursor], "count": cursor.rowcount}
    except sqlite3.Error as error:
        raise Failure("transient" if "locked" in str(error) else "validation", str(error))
    finally:
        running.pop(id).close()

def invoke(id, call):
    try:
        if call["operation"] not in ("query", "execute"):
            raise Failure("unsupported", "There is no operation " + call["operation"] + ".")
        result = run(id, **checked(call["input"], INPUT))
        del result["count" if call["operation"] == "query" else "rows"]
        return {"outcome": "done", "value": result}
    except Failure as failure:
        return {"outcome": "retry" if failure.error["kind"] == "transient" else "reject", "error": failure.error}

METHODS = {
    "initialize": lambda id, params: {"protocolVersion": 1, "descriptor": DESCRIPTOR},
    "connect": lambda id, params: connection.update(checked(params["parameters"], DESCRIPTOR["parameters"])),
    "test": lambda id, params: run(id, "SELECT 1") and {}, "invoke": invoke,
    "ping": lambda id, params: {}, "close": lambda id, params: {},
}

def answer(id, method, params):
    try:
        reply = {"result": METHODS[method](id, params) or {}}
    except KeyError:
        reply = {"error": {"code": -32601, "message": "There is no method " + method}}
    except Failure as failure:
        reply = {"error": {"code": -32000, "message": failure.error["message"], "data": failure.error}}
    with output:
        print(json.dumps({"jsonrpc": "2.0", "id": id, **reply}), flush=True)

with ThreadPoolExecutor(32) as threads:
    for message in map(json.loads, sys.stdin):
        if message["method"] == "ping":  # also when all threads are busy
            answer(message["id"], "ping", {})
        elif "id" in message:
            threads.submit(answer, message["id"], message["method"], message["params"])
        elif database := running.get(message["params"]["id"]):  # cancel, the only notification there is
            database.interrupt()
