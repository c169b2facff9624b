#!/usr/bin/env python3
"""Checks an aggregated audit log with nothing but Python: python3 check_store_audit.py LOG [HASH]

Chain: each line carries the SHA-256 of the line before. Order: each block ascends by stamp, terminal
and sequence. Completeness: the frames of each terminal follow one another from its first record on,
and each block says so. Then it adds up what the completed sales say. HASH is a head noted earlier.
Exit 0 when all holds, 1 when not, 3 when the log cannot be read.
"""
import hashlib, json, sys


def check(path, noted=None):
    prev, number, block_number, frames, late, top = "0" * 64, 0, 0, 0, 0, ""
    ends, in_block, gross, order, unfinished = {}, {}, {}, None, 0
    found = noted is None
    with open(path, "rb") as log:
        for raw in log:
            if not raw.endswith(b"\n"):
                unfinished += 1
                break
            line, number = json.loads(raw), number + 1
            if line["line"] != number or line["prev"] != prev:
                return f"line {number} does not follow the one before it"
            prev = hashlib.sha256(raw[:-1]).hexdigest()
            found = found or prev == noted
            unfinished += 1
            if line["type"] == "frame":
                terminal, key = line["terminal"], (line["hlc"], line["terminal"], line["sequence"])
                end = ends.get(terminal, {"sequence": 0, "hlc": "", "epoch": 0, "frames": 0})
                if line["sequence"] != end["sequence"] + 1 or line["records"] < 1:
                    return f"line {number}: records of {terminal} are missing or doubled"
                if line["hlc"] < end["hlc"] or line["epoch"] < end["epoch"] or (order or key) > key:
                    return f"line {number} is out of order"
                order, frames, late = key, frames + 1, late + (line["hlc"] < top)
                ends[terminal] = in_block[terminal] = {
                    "sequence": line["sequence"] + line["records"] - 1, "hlc": line["hlc"],
                    "epoch": line["epoch"], "link": line["link"], "frames": end["frames"] + 1,
                    "segment": line["segment"], "offset": line["offset"]}
                for record in line["facts"]:
                    fact = record.get("fact", {})
                    if record["kind"] == "SaleCompleted" and fact.get("circle") is None:
                        count, total = gross.get(fact["currency"], (0, 0))
                        gross[fact["currency"]] = (count + 1, total + fact["gross"])
            elif line["type"] == "block":
                block_number += 1
                told = {name: {k: v for k, v in said.items() if k != "problem"}
                        for name, said in line["terminals"].items()}
                known = ends if line["whole"] else in_block
                if (line["block"], line["frames"], line["late"]) != (block_number, frames, late):
                    return f"line {number}: the block's counts are not those of its lines"
                if any(told.get(name) != end for name, end in known.items()):
                    return f"line {number}: the block says of a terminal what its lines do not"
                frames, late, in_block, order, unfinished = 0, 0, {}, None, 0
                top = max((end["hlc"] for end in ends.values()), default="")
                sums = dict(gross)
    if not found:
        return "the noted hash is not that of a line: the log was cut or replaced"
    for terminal in sorted(ends):
        print(f"{terminal}: {ends[terminal]['frames']} frames up to record {ends[terminal]['sequence']}")
    for currency in sorted(sums if block_number else {}):
        print(f"{currency}: {sums[currency][0]} receipts, gross {sums[currency][1]}")
    print(f"{block_number} blocks, {unfinished} lines behind the last one, last hash {prev}")
    return None


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    try:
        problem = check(*sys.argv[1:])
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"cannot read the log: {error!r}", file=sys.stderr)
        sys.exit(3)
    if problem:
        print(problem, file=sys.stderr)
    sys.exit(1 if problem else 0)
