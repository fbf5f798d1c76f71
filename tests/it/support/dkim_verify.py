"""Checks the DKIM signatures of letters with dkimpy, which shares no code with the desk.

    dkim_verify.py NAME RECORD < LETTERS

LETTERS is a JSON list of letters in base64. Asks the DNS for no name but NAME, whose TXT record is RECORD. Prints a
JSON list: whether each letter's signature holds.
"""

import base64
import json
import sys

import dkim

name, record = (argument.encode() for argument in sys.argv[1:3])


def holds(letter):
    try:
        return dkim.verify(letter, dnsfunc=lambda asked, timeout=5: record if asked == name else None)
    except (dkim.DKIMException, ValueError) as error:
        print(error, file=sys.stderr)
        return False


print(json.dumps([holds(base64.b64decode(letter)) for letter in json.load(sys.stdin)]))
