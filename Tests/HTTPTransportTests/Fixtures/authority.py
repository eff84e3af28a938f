"""An OAuth 2 authorisation server and a resource that wants its tokens, for tests.

Each first path segment is a realm of its own, so that tests do not meet. In a realm:
  PUT  /REALM/keys/KID   the key that verifies JSON Web Tokens of that id: a PEM, or a shared secret
  POST /REALM/token      the token endpoint: ?expires=SECONDS, ?rotate=1 (each refresh token works once), ?delay=SECONDS,
                         ?status=N (fails like that), ?garbage=1 (answers with no token)
  POST /REALM/revoke     forgets all access tokens
  GET  /REALM/resource   wants a token of the realm
  GET  /REALM/claims     wants a JSON Web Token signed with a known key, and shows its claims
  GET  /REALM/count      how many tokens were asked for
"""
import argparse
import base64
import hashlib
import json
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt

CLIENT, SECRET = "my client", "s3cret+/:client"
CODE, REDIRECT = "code-1", "https://app.example/back"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636, appendix B
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


class Realm:
    def __init__(self):
        self.lock = threading.Lock()
        self.keys, self.tokens, self.refresh, self.count, self.used_code = {}, set(), {"refresh-0"}, 0, False


realms, realms_lock = {}, threading.Lock()


class Refused(Exception):
    def __init__(self, error, text, status=400):
        self.error, self.text, self.status = error, text, status


def verify(realm, token, audience=None):
    try:
        header = jwt.get_unverified_header(token)
        key = realm.keys[header["kid"]]
        return jwt.decode(token, key, algorithms=[header["alg"]], audience=audience, options={"require": ["exp", "iat"]})
    except (jwt.PyJWTError, ValueError, KeyError) as error:
        raise Refused("invalid_grant", str(error))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        name, _, rest = url.path.lstrip("/").partition("/")
        with realms_lock:
            realm = realms.setdefault(name, Realm())
        try:
            with realm.lock:
                result = self.route(realm, self.command, rest, query, body)
            if rest == "token":
                time.sleep(float(query.get("delay", 0)))
            self.answer(200, result)
        except Refused as refused:
            self.answer(refused.status, {"error": refused.error, "error_description": refused.text})

    do_GET = do_POST = do_PUT = handle_any

    def bearer(self):
        scheme, _, token = (self.headers.get("Authorization") or "").partition(" ")
        return token if scheme == "Bearer" else ""

    def route(self, realm, method, rest, query, body):
        if rest.startswith("keys/"):
            realm.keys[rest[5:]] = body
            return {}
        if rest == "token" and method == "POST":
            return self.token(realm, query, dict(urllib.parse.parse_qsl(body, keep_blank_values=True)))
        if rest == "revoke":
            realm.tokens.clear()
            return {}
        if rest == "count":
            return {"count": realm.count}
        if rest == "resource":
            if self.bearer() not in realm.tokens:
                raise Refused("invalid_token", "unknown token", 401)
            return {"token": self.bearer()}
        if rest == "claims":
            return verify(realm, self.bearer(), audience="me")
        raise Refused("not_found", rest, 404)

    def token(self, realm, query, form):
        realm.count += 1
        if "status" in query:
            raise Refused("server_error", "as asked", int(query["status"]))
        if "garbage" in query:
            return {"access_token": 7}
        grant = form.get("grant_type")
        if grant != "urn:ietf:params:oauth:grant-type:jwt-bearer" and "code_verifier" not in form:
            self.check_client(form)
        answer = {"token_type": "Bearer"}
        if grant == "client_credentials":
            answer["scope"] = form.get("scope")
        elif grant == "refresh_token":
            if form.get("refresh_token") not in realm.refresh:
                raise Refused("invalid_grant", "unknown refresh token")
            if "rotate" in query:
                realm.refresh = {f"refresh-{realm.count}"}
                answer["refresh_token"] = f"refresh-{realm.count}"
        elif grant == "authorization_code":
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            if (form.get("code"), form.get("redirect_uri"), challenge) != (CODE, REDIRECT, CHALLENGE) or realm.used_code:
                raise Refused("invalid_grant", "wrong or used code")
            realm.used_code = True
            realm.refresh = {"from-code"}
            answer["refresh_token"] = "from-code"
        elif grant == "urn:ietf:params:oauth:grant-type:jwt-bearer":
            answer["claims"] = verify(realm, form.get("assertion", ""), audience="me")
        else:
            raise Refused("unsupported_grant_type", str(grant))
        if query.get("expires") != "none":
            answer["expires_in"] = int(query.get("expires", 3600))
        answer["access_token"] = f"token-{realm.count}"
        realm.tokens.add(answer["access_token"])
        return answer

    def check_client(self, form):
        header = self.headers.get("Authorization") or ""
        if header.startswith("Basic "):
            pair = base64.b64decode(header[6:]).decode().partition(":")
            client, secret = urllib.parse.unquote(pair[0]), urllib.parse.unquote(pair[2])
        else:
            client, secret = form.get("client_id"), form.get("client_secret")
        if (client, secret) != (CLIENT, SECRET):
            raise Refused("invalid_client", "unknown client or wrong secret", 401)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


parser = argparse.ArgumentParser()
parser.add_argument("--port-file", required=True)
arguments = parser.parse_args()
server = Server(("127.0.0.1", 0), Handler)
with open(arguments.port_file, "w") as file:
    file.write(str(server.server_address[1]))
server.serve_forever()
