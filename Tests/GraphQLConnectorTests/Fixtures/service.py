"""A GraphQL service for the tests, on Ariadne: users with pages, a mutation that remembers keys, errors on demand.

Paths: /graphql; /closed, which tells nothing of its schema; /secure, which wants a token; /no-digests, which takes no
persisted documents. Documents sent by digest are remembered by /graphql.
"""

import argparse
import asyncio
import hashlib
import json
import pathlib
import socket

import uvicorn
from ariadne import MutationType, ObjectType, QueryType, gql, make_executable_schema
from ariadne.asgi import GraphQL
from ariadne.asgi.handlers import GraphQLHTTPHandler
from ariadne.types import Extension
from graphql import GraphQLError

SCHEMA = gql("""
    type Query {
        hello(name: String!): String!
        users(first: Int!, after: String): UserConnection!
        endless(after: String): UserConnection!
        fail(code: String, message: String): String
        maybe(code: String!): Maybe!
        wait(seconds: Float!): Boolean!
        echo(value: Input!): String!
    }
    type Mutation { addUser(name: String!): User! failAfter: String }
    input Input { text: String!, list: [Int!] }
    type Maybe { good: String!, bad: String }
    type User { id: ID!, name: String! }
    type UserConnection { nodes: [User!]!, edges: [UserEdge!]!, pageInfo: PageInfo!, totalCount: Int! }
    type UserEdge { node: User!, cursor: String! }
    type PageInfo { hasNextPage: Boolean!, endCursor: String }
""")
USERS = [{"id": str(number), "name": f"User {number}"} for number in range(1, 26)]
TOKEN = "service-canary-token"

query = QueryType()
mutation = MutationType()
maybe = ObjectType("Maybe")


@query.field("hello")
def hello(_, info, name):
    return f"Hello {name}"


@query.field("users")
def users(_, info, first, after=None):
    start = int(after) if after else 0
    nodes = USERS[start : start + first]
    end = start + len(nodes)
    return {
        "nodes": nodes,
        "edges": [{"node": node, "cursor": node["id"]} for node in nodes],
        "pageInfo": {"hasNextPage": end < len(USERS), "endCursor": str(end)},
        "totalCount": len(USERS),
    }


@query.field("endless")
def endless(_, info, after=None):
    return {"nodes": [], "edges": [], "pageInfo": {"hasNextPage": True, "endCursor": "x"}, "totalCount": 0}


@query.field("fail")
def fail(_, info, code=None, message="no luck"):
    raise GraphQLError(message, extensions={"code": code} if code else None)


@query.field("maybe")
def resolve_maybe(_, info, code):
    return {"good": "yes", "code": code}


@maybe.field("bad")
def bad(value, info):
    raise GraphQLError("half of it failed", extensions={"code": value["code"]})


@query.field("wait")
async def wait(_, info, seconds):
    await asyncio.sleep(seconds)
    return True


@query.field("echo")
def echo(_, info, value):
    return json.dumps(value, sort_keys=True)


@mutation.field("addUser")
def add_user(_, info, name):
    headers = dict(info.context["request"].headers)
    return {"id": headers.get("idempotency-key", "none"), "name": name}


@mutation.field("failAfter")
def fail_after(_, info):
    raise GraphQLError("the database went away", extensions={"code": "INTERNAL_SERVER_ERROR"})


class Cost(Extension):
    """Shopify's habit."""

    def format(self, context):
        status = {"maximumAvailable": 1000.0, "currentlyAvailable": 40, "restoreRate": 50.0}
        return {"cost": {"requestedQueryCost": 252, "actualQueryCost": 12, "throttleStatus": status}}


class Digests:
    """Automatic persisted queries in front of a service."""

    def __init__(self, service, refuses=False):
        self.service = service
        self.refuses = refuses
        self.known = {}

    async def __call__(self, scope, receive, send):
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        try:
            data = json.loads(body)
            digest = data["extensions"]["persistedQuery"]["sha256Hash"]
        except (ValueError, KeyError, TypeError):
            digest = None
        if digest is not None:
            code = None
            if self.refuses:
                code = ("PersistedQueryNotSupported", "PERSISTED_QUERY_NOT_SUPPORTED")
            elif "query" in data:
                if hashlib.sha256(data["query"].encode()).hexdigest() != digest:
                    code = ("provided sha does not match query", "BAD_REQUEST")
                self.known[digest] = data["query"]
            elif digest not in self.known:
                code = ("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND")
            if code:
                return await answer(send, 200, {"errors": [{"message": code[0], "extensions": {"code": code[1]}}]})
            data["query"] = self.known[digest]
            body = json.dumps(data).encode()
            headers = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
            scope = dict(scope, headers=headers + [(b"content-length", str(len(body)).encode())])
        elif b'"documentId"' in body:
            data = json.loads(body)
            if data["documentId"] != "hello-1":
                error = {"message": "unknown", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}
                return await answer(send, 200, {"errors": [error]})
            data["query"] = "query Hello($name: String!) { hello(name: $name) }"
            body = json.dumps(data).encode()
            headers = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
            scope = dict(scope, headers=headers + [(b"content-length", str(len(body)).encode())])
        sent = False

        async def once():
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.service(scope, once, send)


async def answer(send, status, value):
    body = json.dumps(value).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def application():
    schema = make_executable_schema(SCHEMA, query, mutation, maybe)
    service = GraphQL(schema, http_handler=GraphQLHTTPHandler(extensions=[Cost]))
    routes = {
        "/graphql": Digests(service),
        "/closed": GraphQL(schema, introspection=False),
        "/no-digests": Digests(service, refuses=True),
    }

    async def app(scope, receive, send):
        if scope["type"] != "http":
            return
        path = scope["path"]
        if path == "/secure":
            if dict(scope["headers"]).get(b"authorization") != f"Bearer {TOKEN}".encode():
                error = {"message": "who are you", "extensions": {"code": "UNAUTHENTICATED"}}
                return await answer(send, 401, {"errors": [error]})
            path = "/graphql"
        if path not in routes:
            return await answer(send, 404, {"message": "nothing here"})
        await routes[path](scope, receive, send)

    return app


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port-file", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(application(), log_level="warning", lifespan="off")
    arguments.port_file.write_text(str(listener.getsockname()[1]))
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


main()
