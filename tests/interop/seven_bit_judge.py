"""Says whether two messages decode to the same parts, by Python's email.

In: JSON lines [name, original, converted] (base64). Out: what differs."""
import base64
import email
import json
import re
import sys

CHANGED = {"content-transfer-encoding", "mime-version", "content-type"}
GLOBAL = re.compile(rb"^Content-Type: message/global\r$", re.M)


def parse(octets):
    return email.message_from_bytes(octets)


def flat(part, out, whole):
    """Every part: its type, its other fields, its octets."""
    kind = part.get_content_type()
    fields = [(k.lower(), str(v)) for k, v in part.items()
              if k.lower() not in CHANGED]
    if kind == "application/x-global":
        kind = "message/rfc822"
        out.append((kind, fields, whole))
        flat(parse(part.get_payload(decode=True)), out, whole)
    elif part.is_multipart():
        after = part.epilogue or ""
        if whole == "defective":
            after = after.rstrip("\r\n")
        out.append((kind, fields, part.preamble or "", after,
                    len(part.get_payload())))
        if kind.startswith("message/") and kind != "message/delivery-status":
            out[-1] = (kind, fields, whole)
        for one in part.get_payload():
            flat(one, out, whole)
    else:
        params = part.get_params(failobj=[], header="content-type")[1:]
        if part.get("content-type") is None or "unknown-8bit" in str(params):
            params = []
        octets = part.get_payload(decode=True)
        if kind.startswith("multipart/") or whole == "defective":
            # Where an end is missing, Python leaves the CRLF of the outer one.
            octets = octets.rstrip(b"\r\n")
        out.append((kind, fields, params, octets))
    return out


def shape(octets):
    """What must hold of every quoted-printable body that we wrote."""
    faults = []
    for part in parse(octets).walk():
        if str(part.get("content-transfer-encoding")) != "quoted-printable":
            continue
        body = part.get_payload()
        if not isinstance(body, str):
            continue
        for line in body.split("\r\n"):
            if len(line) > 76:
                faults.append("long line %r" % line)
            if line[-1:] in (" ", "\t"):
                faults.append("blank at end %r" % line)
            if line.startswith((".", "--", "From ")):
                faults.append("risky start %r" % line)
            if re.search("=(?![0-9A-F]{2}|$)", line):
                faults.append("bad escape %r" % line)
    return faults


def aligned(before, after, whole):
    """A message that became a text as a whole, read as the message again."""
    at = 0
    while at < min(len(before), len(after)):
        one, other = before[at], after[at]
        if one[0] == "message/rfc822" and other[0] == "text/plain":
            inner = flat(parse(other[3]), [], whole)
            after[at:at + 1] = [("message/rfc822", other[1], whole), *inner]
        at += 1
    return after


count = 0
for line in sys.stdin:
    name, original, converted = json.loads(line)
    original = base64.b64decode(original)
    converted = base64.b64decode(converted)
    count += 1
    faults = shape(converted)
    if any(octet > 127 for octet in converted):
        faults.append("octets beyond ASCII")
    tree = parse(original)
    whole = "defective" if any(part.defects for part in tree.walk()) else "message"
    before = flat(tree, [], whole)
    leaves = GLOBAL.sub(b"Content-Type: application/x-global\r", converted)
    after = flat(parse(leaves), [], whole)
    if before != aligned(before, after, whole):
        for one, other in zip(before + [None], after + [None]):
            if one != other:
                faults.append("%r became %r" % (one, other))
                break
    if faults:
        print(json.dumps([name, faults[:3]]))
print(json.dumps([count]))
