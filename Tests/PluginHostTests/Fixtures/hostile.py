"""A plugin that misbehaves in the way its argument names; what it does right, it does by the book."""
import json
import os
import sys
import time

mode = sys.argv[1]
DESCRIPTOR = {
    "id": "hostile", "version": 1, "title": "Hostile", "summary": "Misbehaves.", "parameters": True, "secrets": [],
    "events": [], "operations": [{"id": "go", "title": "Go", "summary": "Goes.", "effect": "other", "input": True,
                                  "output": True, "idempotency": "none"}],
}


def raw(data):
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os._exit(1)


def send(message):
    raw(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")


if mode == "exit-at-once":
    sys.exit(3)
if mode == "never-handshakes":
    time.sleep(600)
if mode == "ignores-everything":
    import signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)

calls = 0
for line in sys.stdin:
    message = json.loads(line)
    method, id = message["method"], message.get("id")
    if method == "initialize":
        version = 99 if mode == "future" else 1
        send({"id": id, "result": {"protocolVersion": version, "descriptor": {} if mode == "nameless" else DESCRIPTOR}})
        continue
    if method == "connect":
        send({"id": id, "result": {}})
        continue
    if method == "close" and mode == "ignores-everything":
        while True:
            time.sleep(600)
    if method == "close":
        send({"id": id, "result": {}})
        continue
    if method == "ping":
        if mode != "no-pings":
            send({"id": id, "result": {}})
        continue
    if method != "invoke":
        continue
    calls += 1
    done = {"id": id, "result": {"outcome": "done", "value": {"calls": calls}}}
    if mode == "floods-garbage":
        while True:
            raw(b"garbage " * 4096 + b"\n")
    elif mode == "floods-log":
        for number in range(20_000):
            send({"method": "log", "params": {"level": "info", "message": "x" * 100}})
        send(done)
    elif mode == "floods-stderr":
        for number in range(20_000):
            os.write(2, b"y" * 100 + b"\n")
        send(done)
    elif mode == "floods-requests":
        for number in range(5_000):
            send({"id": number, "method": "secret", "params": {"reference": "env:HOME"}})
        send(done)
    elif mode == "answers-twice":
        send(done)
        send(done)
    elif mode == "wrong-ids":
        send({"id": 999_999, "result": {"outcome": "done", "value": 1}})
        send({"id": "text", "result": {}})
        send({"id": -1, "result": {}})
        send(done)
    elif mode == "invalid-utf8":
        raw(b'{"jsonrpc":"2.0","id":' + str(id).encode() + b',"result":"\xff\xfe"}\n')
        send(done)
    elif mode == "huge-frame":
        raw(b'{"jsonrpc":"2.0","id":' + str(id).encode() + b',"result":"' + b"z" * (2 << 20) + b'"}\n')
    elif mode == "malformed-outcome":
        send({"id": id, "result": {"outcome": "perhaps"}})
    elif mode == "no-result":
        send({"id": id})
    elif mode == "partial-then-exit":
        raw(b'{"jsonrpc":"2.0","id":')
        os._exit(0)
    elif mode == "answers-then-exits":
        send(done)
        os._exit(0)
    elif mode == "closes-stdout":
        os.close(1)
        time.sleep(600)
    elif mode == "leaves-a-child":
        if os.fork() == 0:
            time.sleep(600)
            os._exit(0)
        send(done)
    elif mode in ("silent", "ignores-everything", "no-pings"):
        pass
    else:
        send(done)
