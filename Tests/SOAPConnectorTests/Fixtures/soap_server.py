#!/usr/bin/env python3
"""SOAP services for the tests of the SOAP connector, one path each, on a loopback port.

/orders11, /orders12   document style, SOAP 1.1 and 1.2: PyPI spyne, which also writes the WSDL (?wsdl)
/rpc, /encoded         RPC style, literal and encoded, answers with href and id: lxml
/mtom                  MTOM both ways: the email package of Python
/secure                WS-Security UsernameToken, checked with hashlib
"""

import base64
import datetime
import decimal
import email
import email.policy
import hashlib
import logging
import sys
import threading
from pathlib import Path

from lxml import etree
from spyne import (
    AnyUri, Application, Array, Boolean, ByteArray, ComplexModel, Date, DateTime, Decimal, Double, Duration, Enum,
    Fault, Integer32, Long, ResourceNotFoundError, ServiceBase, Time, Unicode, UnsignedByte, XmlAttribute, rpc,
)
from spyne.model.complex import XmlData
from spyne.protocol.soap import Soap11, Soap12
from spyne.server.wsgi import WsgiApplication
from werkzeug.serving import WSGIRequestHandler, make_server

NAMESPACE = "urn:example:orders"


class Address(ComplexModel):
    __namespace__ = NAMESPACE
    street = Unicode(min_occurs=1, nillable=False)
    city = Unicode(min_occurs=1, nillable=False, max_len=40)
    country = Enum("DE", "FR", "NL", type_name="Country", min_occurs=1)


class Customer(ComplexModel):
    __namespace__ = NAMESPACE
    number = XmlAttribute(Integer32, use="required")
    name = Unicode(min_occurs=1, nillable=False)
    address = Address


class Price(ComplexModel):
    __namespace__ = NAMESPACE
    amount = XmlData(Decimal)
    currency = XmlAttribute(Unicode)


class Line(ComplexModel):
    __namespace__ = NAMESPACE
    article = Unicode(min_occurs=1, nillable=False)
    quantity = Integer32(ge=1, min_occurs=1)
    price = Price


class Order(ComplexModel):
    __namespace__ = NAMESPACE
    customer = Customer.customize(min_occurs=1, nillable=False)
    lines = Array(Line)
    tag = Unicode(max_occurs="unbounded")
    note = Unicode(nillable=True)


class Receipt(ComplexModel):
    __namespace__ = NAMESPACE
    order = Order
    total = Decimal
    count = Integer32
    accepted = DateTime


class Everything(ComplexModel):
    __namespace__ = NAMESPACE
    text = Unicode
    whole = Integer32
    long = Long
    tiny = UnsignedByte
    exact = Decimal
    real = Double
    flag = Boolean
    day = Date
    moment = DateTime
    clock = Time
    span = Duration
    bytes = ByteArray
    link = AnyUri
    numbers = Integer32(max_occurs="unbounded")


class Session(ComplexModel):
    __namespace__ = NAMESPACE
    token = Unicode
    hops = Integer32


class OutOfStock(Fault):
    __namespace__ = NAMESPACE
    article = Unicode


class OrderService(ServiceBase):
    @rpc(Integer32, Integer32, _returns=Integer32)
    def Add(ctx, a, b):
        """Adds two numbers."""
        return a + b

    @rpc(Everything, _returns=Everything)
    def EchoEverything(ctx, record):
        return record

    @rpc(Order, _returns=Receipt)
    def PlaceOrder(ctx, order):
        total = sum((line.price.amount * line.quantity for line in order.lines or []), decimal.Decimal(0))
        moment = datetime.datetime(2026, 1, 31, 12, 0, 0)
        return Receipt(order=order, total=total, count=len(order.lines or []), accepted=moment)

    @rpc(Unicode, _returns=Array(Unicode))
    def Split(ctx, text):
        return text.split()

    @rpc(Unicode)
    def Forget(ctx, name):
        """Answers nothing."""

    @rpc(Unicode, _returns=Unicode, _throws=[OutOfStock])
    def Fail(ctx, how):
        if how == "client":
            raise Fault("Client.BadArgument", "that cannot be")
        if how == "missing":
            raise ResourceNotFoundError("order 7")
        if how == "credentials":
            raise Fault("Client.Authentication", "who are you")
        if how == "server":
            raise Fault("Server.Busy", "come back later")
        if how == "stock":
            detail = {f"{{{NAMESPACE}}}OutOfStock": {f"{{{NAMESPACE}}}article": "hammer"}}
            raise Fault("Server.OutOfStock", "nothing is left", detail=detail)
        raise ValueError("boom")


class SessionService(ServiceBase):
    __in_header__ = Session
    __out_header__ = Session

    @rpc(Unicode, _returns=Unicode)
    def WhoAmI(ctx, greeting):
        header = ctx.in_header
        ctx.out_header = Session(token=header.token if header else "none", hops=(header.hops or 0) + 1 if header else 0)
        return f"{greeting} {header.token if header else 'nobody'}"


def spyne_application(version):
    protocol = Soap11 if version == 11 else Soap12
    application = Application(
        [OrderService, SessionService], NAMESPACE, name=f"Orders{version}", in_protocol=protocol(validator="lxml"),
        out_protocol=protocol())
    return WsgiApplication(application)


# Handwritten services

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
SECURITY = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
UTILITY = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
XOP = "http://www.w3.org/2004/08/xop/include"
folder = Path(__file__).parent


def body_of(request):
    root = etree.fromstring(request)
    return root, root.find(f"{{{ENVELOPE}}}Body")[0]


def envelope(inner, namespaces=""):
    return (
        f'<s:Envelope xmlns:s="{ENVELOPE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xmlns:xsd="http://www.w3.org/2001/XMLSchema" {namespaces}><s:Body>{inner}</s:Body></s:Envelope>').encode()


def fault(code, text):
    return "500 Fault", envelope(
        f'<s:Fault xmlns:w="{SECURITY}"><faultcode>{code}</faultcode><faultstring>{text}</faultstring></s:Fault>')


def rpc_service(request, content_type):
    _, call = body_of(request)
    if call.tag != "{urn:example:rpc}Quote":
        return fault("s:Client", f"unknown call {call.tag}")
    names = [child.tag for child in call]
    if names != ["article", "quantity"]:
        return fault("s:Client", f"unexpected parts {names}")
    amount = decimal.Decimal("2.50") * int(call.findtext("quantity"))
    return "200 OK", envelope(
        f'<r:QuoteResponse xmlns:r="urn:example:rpc"><quote><article>{call.findtext("article")}</article>'
        f'<amount>{amount}</amount></quote><valid>true</valid></r:QuoteResponse>')


def encoded_service(request, content_type):
    _, call = body_of(request)
    xsi = "{http://www.w3.org/2001/XMLSchema-instance}type"
    names = call.find("names")
    count = names.get("{http://schemas.xmlsoap.org/soap/encoding/}arrayType", "")
    if not count.endswith(f"[{len(names)}]") or any(not child.get(xsi, "").endswith(":string") for child in names):
        return fault("s:Client", "the array is not encoded")
    items = "".join(f'<item href="#p{index}"/>' for index in range(len(names)))
    targets = "".join(
        f'<multiRef id="p{index}" e:root="0" xsi:type="t:Person"><name xsi:type="xsd:string">{child.text}</name>'
        f'<age xsi:type="xsd:int">{30 + index}</age></multiRef>' for index, child in enumerate(names))
    return "200 OK", envelope(
        f'<t:FindResponse><return href="#list"/></t:FindResponse>'
        f'<multiRef id="list" e:root="0" xsi:type="e:Array" e:arrayType="t:Person[{len(names)}]">{items}</multiRef>'
        f'{targets}',
        'xmlns:t="urn:example:encoded" xmlns:e="http://schemas.xmlsoap.org/soap/encoding/"')


def mtom_service(request, content_type):
    message = email.message_from_bytes(
        b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + request, policy=email.policy.HTTP)
    parts, root = {}, request
    if message.is_multipart():
        if message.get_param("type") != "application/xop+xml":
            return fault("s:Client", "no XOP")
        for part in message.get_payload():
            content = part.get_payload(decode=True)
            if part["Content-ID"] == message.get_param("start"):
                root = content
            else:
                parts[part["Content-ID"].strip("<>")] = content
    _, call = body_of(root)
    content = call.find("{urn:example:mtom}content")
    include = content.find(f"{{{XOP}}}Include")
    data = parts[include.get("href")[4:]] if include is not None else base64.b64decode(content.text)
    sent = "attachment" if include is not None else "inline"
    answer = envelope(
        f'<m:StoreResponse xmlns:m="urn:example:mtom"><m:sent>{sent}</m:sent><m:size>{len(data)}</m:size>'
        f'<m:content><x:Include xmlns:x="{XOP}" href="cid:back%20one@example"/></m:content></m:StoreResponse>')
    reply = (
        b'--frontier\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n'
        b'Content-ID: <back one@example>\r\n\r\n' + data[::-1] + b'\r\n--frontier\r\n'
        b'Content-Type: application/xop+xml; charset=UTF-8; type="text/xml"\r\nContent-ID: <r@example>\r\n\r\n'
        + answer + b'\r\n--frontier--\r\n')
    kind = 'multipart/related; type="application/xop+xml"; boundary=frontier; start="<r@example>"; start-info="text/xml"'
    return "200 OK", reply, kind


used_nonces = set()
nonce_lock = threading.Lock()


def secure_service(request, content_type):
    root, _ = body_of(request)
    token = root.find(f"{{{ENVELOPE}}}Header/{{{SECURITY}}}Security/{{{SECURITY}}}UsernameToken")
    if token is None:
        return fault("w:InvalidSecurity", "no token")
    user = token.findtext(f"{{{SECURITY}}}Username")
    password = token.find(f"{{{SECURITY}}}Password")
    created = token.findtext(f"{{{UTILITY}}}Created")
    nonce = base64.b64decode(token.findtext(f"{{{SECURITY}}}Nonce"))
    age = abs((datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.fromisoformat(created)).total_seconds())
    with nonce_lock:
        fresh = nonce not in used_nonces and age < 300
        used_nonces.add(nonce)
    if password.get("Type").endswith("#PasswordDigest"):
        good = base64.b64encode(hashlib.sha1(nonce + created.encode() + b"open sesame").digest()).decode()
        kind = "digest"
    else:
        good, kind = "open sesame", "text"
    if user != "ali" or password.text != good or not fresh:
        return fault("w:FailedAuthentication", f"the password {password.text} of {user} is not right")
    return "200 OK", envelope(f'<p:PingResponse xmlns:p="urn:example:secure"><p:by>{kind}</p:by></p:PingResponse>')


HANDWRITTEN = {
    "/rpc": (rpc_service, "rpc.wsdl"),
    "/encoded": (encoded_service, "encoded.wsdl"),
    "/mtom": (mtom_service, "mtom.wsdl"),
    "/secure": (secure_service, "secure.wsdl"),
}
SPYNE = {"/orders11": spyne_application(11), "/orders12": spyne_application(12)}


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path in SPYNE:
        return SPYNE[path](environ, start_response)
    if path not in HANDWRITTEN:
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"no such service"]
    service, description = HANDWRITTEN[path]
    if environ["REQUEST_METHOD"] != "POST":
        text = (folder / description).read_text()
        address = f"http://{environ['HTTP_HOST']}{path}"
        start_response("200 OK", [("Content-Type", "text/xml")])
        return [text.replace("http://localhost/service", address).encode()]
    request = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    try:
        status, answer, *kind = service(request, environ.get("CONTENT_TYPE", ""))
    except Exception as error:
        status, answer, kind = *fault("s:Server", f"{type(error).__name__}: {error}"), []
    start_response(status, [("Content-Type", kind[0] if kind else "text/xml; charset=utf-8"),
                            ("Content-Length", str(len(answer)))])
    return [answer]


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *arguments):
        pass


def main():
    logging.disable(logging.CRITICAL)
    server = make_server("127.0.0.1", int(sys.argv[1]), application, threaded=True, request_handler=Quiet)
    server.serve_forever()


main()
