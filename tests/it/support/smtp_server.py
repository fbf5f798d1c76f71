"""The SMTP server of the tests: keeps every letter as one JSON file, and misbehaves on request.

    smtp_server.py FOLDER USER PASSWORD

Prints one JSON line when it is ready: the ports of three servers on 127.0.0.1 (`port` plain, `auth_port` that
wants USER and PASSWORD, `starttls_port` that wants STARTTLS) and the `certificate` of the last one, which signs itself
for 127.0.0.1. It ends when its standard input does.

A letter lands in FOLDER/<domain of MAIL FROM>/<number>.json:
`{"mail_from", "rcpt_tos", "data": base64, "user": or null, "answered": bool}`.

What the local part of a recipient asks for:

| reject550@ busy451@ | this code at every RCPT                                   |
| reject550-1-1@      | the same with the status 5.1.1; `data550-7-1@` likewise   |
| once451@            | this code at the first RCPT, accepted from then on        |
| data550@ data451@   | this code after the data; the letter is not kept          |
| drop@               | kept, but the connection is closed without an answer      |
| stall@              | kept, but never answered                                  |
"""

import asyncio
import base64
import json
import os
import re
import ssl
import subprocess
import sys
import threading

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

BEHAVIOUR = re.compile(r"(reject|busy|once|data)(\d{3}(?:-\d+-\d+)?)$")
TEXTS = {"5": "refused for good, as asked", "4": "not now, as asked"}


def asked(address):
    """(behaviour, code) that a recipient asks for."""
    local = address.rpartition("@")[0]
    found = BEHAVIOUR.match(local)
    return (found[1], found[2]) if found else (local, "")


def answer(code):
    code, _, status = code.partition("-")
    status = status.replace("-", ".") or "0.0"
    return f"{code} {code[0]}.{status} {TEXTS[code[0]]}"


class Handler:
    def __init__(self, folder):
        self.folder = folder
        self.number = 0
        self.refused_once = set()

    async def handle_RCPT(self, server, session, envelope, address, options):
        behaviour, code = asked(address)
        if behaviour in ("reject", "busy"):
            return answer(code)
        if behaviour == "once" and (envelope.mail_from, address) not in self.refused_once:
            self.refused_once.add((envelope.mail_from, address))
            return answer(code)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        wishes = [asked(address) for address in envelope.rcpt_tos]
        for behaviour, code in wishes:
            if behaviour == "data":
                return answer(code)
        names = [behaviour for behaviour, _ in wishes]
        silent = "drop" in names or "stall" in names
        self.keep(session, envelope, not silent)
        if "drop" in names:
            server.transport.abort()
        if silent:
            await asyncio.sleep(3600)
        return "250 2.0.0 kept"

    def keep(self, session, envelope, answered):
        self.number += 1
        domain = (envelope.mail_from or "@empty").rpartition("@")[2].lower()
        folder = os.path.join(self.folder, re.sub(r"[^a-z0-9.-]", "_", domain))
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, f"{self.number:08}.json")
        user = session.auth_data.login.decode() if session.auth_data else None
        letter = {
            "mail_from": envelope.mail_from,
            "rcpt_tos": envelope.rcpt_tos,
            "data": base64.b64encode(envelope.original_content).decode(),
            "user": user,
            "answered": answered,
        }
        with open(path + ".part", "w", encoding="utf-8") as file:
            json.dump(letter, file)
        os.rename(path + ".part", path)


def certificate(folder):
    """Makes a certificate that is its own issuer; whoever trusts the file trusts the server."""
    key, cert = os.path.join(folder, "key.pem"), os.path.join(folder, "certificate.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
         "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return cert, context


async def main(folder, user, password):
    handler = Handler(folder)
    cert, context = certificate(folder)

    def authenticator(server, session, envelope, mechanism, data):
        given = data if isinstance(data, LoginPassword) else LoginPassword(b"", b"")
        good = (given.login, given.password) == (user.encode(), password.encode())
        return AuthResult(success=good, handled=good, auth_data=data)

    async def listen(**options):
        loop = asyncio.get_running_loop()
        make = lambda: SMTP(handler, hostname="127.0.0.1", enable_SMTPUTF8=True, loop=loop, **options)  # noqa: E731
        server = await loop.create_server(make, "127.0.0.1", 0, backlog=200)
        return server.sockets[0].getsockname()[1]

    ready = {
        "port": await listen(),
        "auth_port": await listen(authenticator=authenticator, auth_required=True, auth_require_tls=False),
        "starttls_port": await listen(tls_context=context, require_starttls=True),
        "certificate": cert,
    }
    print(json.dumps(ready), flush=True)
    await asyncio.Event().wait()


def end_with_input():
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=end_with_input, daemon=True).start()
    asyncio.run(main(*sys.argv[1:4]))
