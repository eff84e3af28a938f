"""The independent side of the Avro tests: fastavro, one JSON request a line, one JSON answer a line.

{"do": "encode", "schema": …, "value": …}      -> {"base64": …}
{"do": "decode", "schema": …, "base64": …}     -> {"value": …}
{"do": "fingerprint", "schema": …}             -> {"canonical": …, "fingerprint": …}
"""
import base64
import datetime
import decimal
import io
import json
import sys
import uuid

import fastavro
import fastavro.schema


def revive(value):
    """Turns {"$decimal": "1.5"} and its like into Python's types."""
    if isinstance(value, dict):
        if len(value) == 1:
            key, text = next(iter(value.items()))
            if key == "$decimal":
                return decimal.Decimal(text)
            if key == "$bytes":
                return base64.b64decode(text)
            if key == "$date":
                return datetime.date.fromisoformat(text)
            if key == "$timestamp":
                return datetime.datetime.fromisoformat(text)
            if key == "$time":
                return datetime.time.fromisoformat(text)
            if key == "$uuid":
                return uuid.UUID(text)
        return {key: revive(item) for key, item in value.items()}
    if isinstance(value, list):
        return [revive(item) for item in value]
    return value


def plain(value):
    if isinstance(value, decimal.Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, datetime.datetime):
        return {"$timestamp": value.isoformat()}
    if isinstance(value, datetime.date):
        return {"$date": value.isoformat()}
    if isinstance(value, datetime.time):
        return {"$time": value.isoformat()}
    if isinstance(value, uuid.UUID):
        return {"$uuid": str(value)}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


for line in sys.stdin:
    request = json.loads(line)
    schema = request["schema"]
    if request["do"] == "fingerprint":
        canonical = fastavro.schema.to_parsing_canonical_form(fastavro.parse_schema(schema))
        answer = {
            "canonical": canonical,
            "fingerprint": fastavro.schema.fingerprint(canonical, "CRC-64-AVRO"),
        }
    elif request["do"] == "encode":
        out = io.BytesIO()
        fastavro.schemaless_writer(out, fastavro.parse_schema(schema), revive(request["value"]))
        answer = {"base64": base64.b64encode(out.getvalue()).decode()}
    else:
        data = io.BytesIO(base64.b64decode(request["base64"]))
        answer = {"value": plain(fastavro.schemaless_reader(data, fastavro.parse_schema(schema)))}
        answer["left"] = len(data.read())
    print(json.dumps(answer), flush=True)
