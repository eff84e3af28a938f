"""SMTP servers for the tests, on aiosmtpd: one that wants STARTTLS and a login, one in TLS from the first byte, one in
the clear.

Every message taken is a file in --mailbox: a line of JSON with the envelope, then the message as it came. Users: sender
with the password service-canary-password. Recipients called full, slow, gone, denied and busy are answered accordingly,
and a subject of "reject me" or "later please" refuses the message.
"""

import argparse
import asyncio
import base64
import datetime
import email
import email.policy
import ipaddress
import json
import pathlib
import ssl

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PASSWORD = b"service-canary-password"
REFUSALS = {
    "full": "452 4.2.2 The mailbox is full for now",
    "gone": "550 5.1.1 There is nobody of that name",
    "denied": "550 5.7.1 You may not send there",
    "busy": "451 4.3.0 Come back later",
    "over": "552 5.2.2 The mailbox is full",
}


class Handler:
    def __init__(self, mailbox):
        self.mailbox = mailbox
        self.count = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        refusal = REFUSALS.get(address.split("@")[0])
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Fine"

    async def handle_DATA(self, server, session, envelope):
        head = envelope.content.split(b"\r\n\r\n")[0]
        if b"Subject: reject me" in head:
            return "554 5.6.0 Not that one"
        if b"Subject: later please" in head:
            return "451 4.7.1 Too many of these"
        if b"Subject: hang up" in head:
            server.transport.abort()
            return "250 never heard"
        if b"Subject: take your time" in head:
            await asyncio.sleep(30)
        self.count += 1
        user = session.auth_data.decode() if isinstance(session.auth_data, bytes) else session.auth_data
        line = json.dumps({
            "from": envelope.mail_from, "to": envelope.rcpt_tos, "user": user, "tls": server.transport.get_extra_info("ssl_object") is not None,
            "message": parsed(envelope.content), "lineMax": max(map(len, envelope.content.split(b"\r\n"))),
        })
        temporary = self.mailbox / f".{id(self)}-{self.count}"
        temporary.write_bytes(line.encode() + b"\n" + envelope.content)
        temporary.rename(self.mailbox / f"{id(self)}-{self.count:06}.eml")
        return f"250 2.0.0 Queued as M{self.count}"


def parsed(content):
    """The message as Python reads it."""
    message = email.message_from_bytes(content, policy=email.policy.default)
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    return {
        "headers": {name.lower(): str(value) for name, value in message.items()},
        "defects": [str(defect) for part in message.walk() for defect in part.defects],
        "text": text and text.get_content(),
        "html": html and html.get_content(),
        "attachments": [
            {
                "name": part.get_filename(), "type": part.get_content_type(), "id": part["content-id"],
                "disposition": part.get_content_disposition(),
                "content": base64.b64encode(part.get_payload(decode=True)).decode(),
            }
            for part in message.iter_attachments()
        ] if message.is_multipart() and message.get_content_subtype() == "mixed" else [],
    }


def authenticator(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and data.login == b"sender" and data.password == PASSWORD
    return AuthResult(success=good, auth_data=data.login if good else None, handled=good)


def certificate(folder):
    """An authority's and a server's certificate in one: trusted by tests that are given it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test mail server")])
    now = datetime.datetime.now(datetime.timezone.utc)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    built = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(built.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


async def serve(folder):
    mailbox = folder / "mailbox"
    mailbox.mkdir(exist_ok=True)
    certificate(folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    handler = Handler(mailbox)
    loop = asyncio.get_running_loop()
    login = {"authenticator": authenticator, "auth_required": True, "hostname": "mail.test"}

    def starttls():
        return SMTP(handler, tls_context=context, require_starttls=True, data_size_limit=200_000, **login)

    def implicit():
        return SMTP(handler, auth_require_tls=False, data_size_limit=200_000, **login)

    def plain():
        return SMTP(handler, hostname="mail.test", data_size_limit=200_000)

    ports = {}
    for name, factory, tls in [("starttls", starttls, None), ("implicit", implicit, context), ("plain", plain, None)]:
        server = await loop.create_server(factory, "127.0.0.1", 0, ssl=tls)
        ports[name] = server.sockets[0].getsockname()[1]
    temporary = folder / "ports.new"
    temporary.write_text(json.dumps(ports))
    temporary.rename(folder / "ports.json")
    await asyncio.Event().wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    asyncio.run(serve(parser.parse_args().folder))


main()
