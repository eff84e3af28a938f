"""Checks frames written down by tee.py against the published schema: `check_frames.py SCHEMA LOG`.

Prints what does not match, one line each, and last the definitions that were used.
"""
import json
import sys

from jsonschema import Draft202012Validator

schema = json.load(open(sys.argv[1], encoding="utf-8"))
Draft202012Validator.check_schema(schema)
asked, used = {}, set()


def check(name, value):
    used.add(name)
    if name not in schema["$defs"]:
        print(f"{name} is not in the schema")
        return
    for error in Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": schema["$defs"]}).iter_errors(value):
        print(f"{name}: {error.json_path}: {error.message[:200]}")


for line in open(sys.argv[2], encoding="utf-8"):
    side, _, text = line.partition(" ")
    frame = json.loads(text)
    check("frame", frame)
    other = "plugin" if side == "hub" else "hub"
    if "method" in frame:
        check(frame["method"] + ".params", frame["params"])
        if "id" in frame:
            asked[side, frame["id"]] = frame["method"]
    elif "result" in frame:
        check(asked[other, frame["id"]] + ".result", frame["result"])
    else:
        check("error", frame["error"])
print("used " + " ".join(sorted(used)))
