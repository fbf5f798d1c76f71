"""Signs as Twilio does, and reads TwiML as Twilio's library writes it. One JSON question a line, one answer a line."""

import json
import re
import sys
import xml.etree.ElementTree as tree

from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import VoiceResponse


def snake(name):
    return re.sub("([A-Z])", lambda match: "_" + match.group(1).lower(), name)


def rebuilt(parent, element):
    """The same element, made by Twilio's library; it knows no verb that does not exist."""
    verb = getattr(parent, element.tag.lower())
    attributes = {snake(name): value for name, value in element.attrib.items()}
    text = [element.text] if element.text else []
    made = verb(*text, **attributes)
    for child in element:
        rebuilt(made, child)


def answer(question):
    if "sign" in question:
        asked = question["sign"]
        return RequestValidator(asked["token"]).compute_signature(asked["url"], asked["fields"])
    given = tree.fromstring(question["twiml"].encode())
    assert given.tag == "Response", given.tag
    response = VoiceResponse()
    for element in given:
        rebuilt(response, element)
    theirs = tree.canonicalize(str(response))
    ours = tree.canonicalize(question["twiml"])
    assert theirs == ours, f"{theirs}\n{ours}"
    return [{"verb": element.tag, "text": element.text, **element.attrib, "in": [child.text for child in element]} for element in given]


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
