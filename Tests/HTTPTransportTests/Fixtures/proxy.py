"""A proxy for tests: HTTP (plain requests and CONNECT) and SOCKS 5 on one port, with a user and a password.

GET http://proxy.test/log through it answers with what it was asked for, one line each.
"""
import argparse
import base64
import http.client
import select
import socket
import socketserver
import struct
import urllib.parse

USER, PASSWORD = "proxy user", "s3cret:proxy"
log = []


def relay(left, right):
    pair = {left: right, right: left}
    while True:
        for source in select.select(list(pair), [], [], 60)[0]:
            data = source.recv(65536)
            if not data:
                return
            pair[source].sendall(data)


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        try:
            if self.request.recv(1, socket.MSG_PEEK) == b"\x05":
                self.socks()
            else:
                self.http()
        except (OSError, ValueError, struct.error):
            pass

    def read(self, count):
        data = b""
        while len(data) < count:
            more = self.request.recv(count - len(data))
            if not more:
                raise ValueError("ended")
            data += more
        return data

    def socks(self):
        _, count = self.read(2)
        self.read(count)
        self.request.sendall(b"\x05\x02")
        self.read(1)
        user = self.read(self.read(1)[0]).decode()
        password = self.read(self.read(1)[0]).decode()
        if (user, password) != (USER, PASSWORD):
            log.append("socks refused")
            self.request.sendall(b"\x01\x01")
            return
        self.request.sendall(b"\x01\x00")
        _, _, _, kind = self.read(4)
        host = socket.inet_ntoa(self.read(4)) if kind == 1 else self.read(self.read(1)[0]).decode()
        port = struct.unpack(">H", self.read(2))[0]
        log.append(f"socks {'address' if kind == 1 else 'name'} {host}:{port}")
        with socket.create_connection((host, port)) as remote:
            self.request.sendall(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
            relay(self.request, remote)

    def http(self):
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.read(1)
        lines = head.decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        expected = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if fields.get("proxy-authorization") != expected:
            log.append(f"{method} refused")
            self.request.sendall(
                b"HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm=\"p\"\r\nContent-Length: 0\r\n"
                b"Connection: close\r\n\r\n")
            return
        if target == "http://proxy.test/log":
            body = "\n".join(log).encode()
            self.request.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            return
        log.append(f"{method} {target}")
        if method == "CONNECT":
            host, _, port = target.rpartition(":")
            with socket.create_connection((host, int(port))) as remote:
                self.request.sendall(b"HTTP/1.1 200 Connected\r\nX-Proxy: yes\r\n\r\n")
                relay(self.request, remote)
            return
        url = urllib.parse.urlsplit(target)
        remote = http.client.HTTPConnection(url.netloc)
        body = self.read(int(fields.get("content-length", 0)))
        passed = {name: value for name, value in fields.items() if name and not name.startswith("proxy-")}
        remote.request(method, url.path + ("?" + url.query if url.query else ""), body, passed)
        answer = remote.getresponse()
        data = answer.read()
        self.request.sendall(
            b"HTTP/1.1 %d OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % (answer.status, len(data)) + data)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


parser = argparse.ArgumentParser()
parser.add_argument("--port-file", required=True)
arguments = parser.parse_args()
server = Server(("127.0.0.1", 0), Handler)
with open(arguments.port_file, "w") as file:
    file.write(str(server.server_address[1]))
server.serve_forever()
