"""A real LMTP client for the tests: Python's own.

    lmtp_client.py HOST PORT < LETTERS

HOST is an address, or the path of a unix socket. LETTERS is JSON: `[{"from", "to": [...], "data": base64}]`. Prints one JSON line: for
each letter `{"refused": {address: [code, text]}}`, where an address that is not named was taken.
"""

import base64
import json
import smtplib
import sys


def send(client, letter):
    data = base64.b64decode(letter["data"])
    try:
        return {"refused": client.sendmail(letter["from"], letter["to"], data, ["BODY=8BITMIME"])}
    except smtplib.SMTPRecipientsRefused as error:
        return {"refused": error.recipients}
    except smtplib.SMTPResponseException as error:
        return {"refused": {to: (error.smtp_code, error.smtp_error) for to in letter["to"]}}


def text(value):
    return value.decode(errors="replace") if isinstance(value, bytes) else value


if __name__ == "__main__":
    client = smtplib.LMTP(sys.argv[1], int(sys.argv[2]))
    answers = [send(client, letter) for letter in json.load(sys.stdin)]
    extensions = client.esmtp_features
    client.quit()
    print(json.dumps({"answers": answers, "extensions": extensions}, default=text))
