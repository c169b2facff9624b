#!/usr/bin/env python3
"""Checks exports of a till with nothing but Python's standard library.

    check_export.py dsfinvk FOLDER      the CSV set of DSFinV-K
    check_export.py dep FOLDER          the chained journal of receipts
    check_export.py jsonl FOLDER        the journal as JSON Lines

Prints one JSON document with what was counted and every fault that was found. Exit code 0 when there
is none, 1 when there are some, 2 for wrong usage.
"""

import base64
import csv
import hashlib
import json
import sys
import xml.etree.ElementTree as xml
from collections import defaultdict
from decimal import Decimal
from pathlib import Path


class Faults(list):
    def hold(self, condition, message):
        if not condition:
            self.append(message)


def amount(text):
    """A number with a decimal comma."""
    return Decimal(text.replace(",", ".")) if text else Decimal(0)


def tables(folder, faults):
    """Every table that the index names, read by the columns that it names."""
    index = xml.parse(folder / "index.xml").getroot()
    read = {}
    for table in index.iter("Table"):
        name = table.findtext("URL")
        columns = [column.findtext("Name") for column in table.iter("VariableColumn")]
        with open(folder / name, newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file, delimiter=";"))
        faults.hold(rows and rows[0] == columns, f"{name}: the headings are not those of the index")
        faults.hold(
            all(len(row) == len(columns) for row in rows), f"{name}: a row has other columns"
        )
        read[name] = [dict(zip(columns, row)) for row in rows[1:]]
    present = {file.name for file in folder.glob("*.csv")}
    faults.hold(present == set(read), f"files beside the index: {present ^ set(read)}")
    return read


def check_dsfinvk(folder, faults):
    read = tables(folder, faults)
    closings = read["cashpointclosing.csv"]
    numbers = defaultdict(list)
    for closing in closings:
        numbers[closing["Z_KASSE_ID"]].append(int(closing["Z_NR"]))
    for till, found in numbers.items():
        faults.hold(found == list(range(1, len(found) + 1)), f"{till}: Z numbers are {found}")

    def by_transaction(name, column):
        sums = defaultdict(Decimal)
        for row in read[name]:
            sums[row["Z_KASSE_ID"], row["Z_NR"], row["BON_ID"]] += amount(row[column])
        return sums

    taxes = by_transaction("transactions_vat.csv", "BON_BRUTTO")
    lines = by_transaction("lines_vat.csv", "POS_BRUTTO")
    paid = by_transaction("datapayment.csv", "BASISWAEH_BETRAG")
    counted, receipts = set(), defaultdict(list)
    for row in read["transactions.csv"]:
        key = row["Z_KASSE_ID"], row["Z_NR"], row["BON_ID"]
        total = amount(row["UMS_BRUTTO"])
        faults.hold(taxes[key] == total, f"{key}: taxes come to {taxes[key]}, not {total}")
        faults.hold(lines[key] == total, f"{key}: lines come to {lines[key]}, not {total}")
        if row["BON_TYP"] != "Beleg":
            continue
        counted.add(key)
        faults.hold(paid[key] == total, f"{key}: payments come to {paid[key]}, not {total}")
        if row["BON_NR"]:
            receipts[row["Z_KASSE_ID"]].append(int(row["BON_NR"]))
    for till, found in receipts.items():
        faults.hold(found == list(range(1, len(found) + 1)), f"{till}: receipt numbers {found}")

    for name, columns in {
        "transactions_vat.csv": ("BON_BRUTTO", "BON_NETTO", "BON_UST"),
        "lines_vat.csv": ("POS_BRUTTO", "POS_NETTO", "POS_UST"),
        "businesscases.csv": ("Z_UMS_BRUTTO", "Z_UMS_NETTO", "Z_UMS_UST"),
    }.items():
        for row in read[name]:
            gross, net, tax = (amount(row[column]) for column in columns)
            faults.hold(gross == net + tax, f"{name}: {gross} is not {net} and {tax}")

    cases, payments, cash = defaultdict(Decimal), defaultdict(Decimal), defaultdict(Decimal)
    kinds = {}
    for row in read["lines.csv"]:
        kinds[row["Z_KASSE_ID"], row["Z_NR"], row["BON_ID"], row["POS_ZEILE"]] = (
            row["GV_TYP"],
            row["GV_NAME"],
        )
    for row in read["lines_vat.csv"]:
        till = row["Z_KASSE_ID"], row["Z_NR"]
        if (*till, row["BON_ID"]) in counted:
            kind = kinds[*till, row["BON_ID"], row["POS_ZEILE"]]
            cases[(*till, *kind, row["UST_SCHLUESSEL"])] += amount(row["POS_BRUTTO"])
    for row in read["datapayment.csv"]:
        till = row["Z_KASSE_ID"], row["Z_NR"]
        if (*till, row["BON_ID"]) in counted and row["ZAHLART_TYP"] != "Keine":
            payments[(*till, row["ZAHLART_TYP"], row["ZAHLART_NAME"])] += amount(
                row["BASISWAEH_BETRAG"]
            )
            if row["ZAHLART_TYP"] == "Bar":
                cash[till] += amount(row["BASISWAEH_BETRAG"])
    said = {
        (r["Z_KASSE_ID"], r["Z_NR"], r["GV_TYP"], r["GV_NAME"], r["UST_SCHLUESSEL"]): amount(
            r["Z_UMS_BRUTTO"]
        )
        for r in read["businesscases.csv"]
    }
    faults.hold(said == dict(cases), "the business cases are not the sums of the lines")
    said = {
        (r["Z_KASSE_ID"], r["Z_NR"], r["ZAHLART_TYP"], r["ZAHLART_NAME"]): amount(
            r["Z_ZAHLART_BETRAG"]
        )
        for r in read["payment.csv"]
    }
    faults.hold(said == dict(payments), "the kinds of payment are not the sums of the payments")
    for closing in closings:
        till = closing["Z_KASSE_ID"], closing["Z_NR"]
        total = sum(value for key, value in payments.items() if key[:2] == till)
        faults.hold(amount(closing["Z_SE_ZAHLUNGEN"]) == total, f"{till}: payments are {total}")
        faults.hold(amount(closing["Z_SE_BARZAHLUNGEN"]) == cash[till], f"{till}: cash")
    known = {(row["Z_KASSE_ID"], row["BON_ID"]) for row in read["transactions.csv"]}
    tills = {till for till, _ in known}
    for row in read["references.csv"]:
        target = row["REF_Z_KASSE_ID"], row["REF_BON_ID"]
        faults.hold(
            target in known or row["REF_Z_KASSE_ID"] not in tills, f"a reference to {target}"
        )
    turnover = sum(
        value for key, value in cases.items() if key[2] in ("Umsatz", "Pfand", "PfandRueckzahlung")
    )
    return {
        "closings": len(closings),
        "receipts": sum(len(found) for found in receipts.values()),
        "lines": len(read["lines.csv"]),
        "turnover": str(turnover),
        "cash": str(sum(cash.values())),
    }


def unpacked(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()


def check_dep(folder, faults):
    with open(folder / "dep-export.json", encoding="utf-8") as file:
        groups = json.load(file)["Belege-Gruppe"]
    receipts = [compact for group in groups for compact in group["Belege-kompakt"]]
    previous, turnover, counted = None, Decimal(0), 0
    for position, compact in enumerate(receipts, 1):
        _, payload, _ = compact.split(".")
        values = unpacked(payload)[1:].split("_")
        # Suite, register, number, time, five amounts, counter, certificate, link. A register's name
        # may hold the sign that parts the values.
        link, counter = values[-1], values[-3]
        amounts = [amount(text) for text in values[-8:-3]]
        if previous is None:
            previous = "_".join(values[1:-10])
        digest = hashlib.sha256(previous.encode()).digest()[:8]
        faults.hold(
            base64.b64encode(digest).decode() == link, f"receipt {position} is not linked to the last"
        )
        if base64.b64decode(counter) != b"TRA":
            counted += 1
            turnover += sum(amounts)
            found = int.from_bytes(base64.b64decode(counter), "big", signed=True)
            places = -amounts[0].as_tuple().exponent
            faults.hold(
                Decimal(found).scaleb(-places) == turnover,
                f"receipt {position}: the counter is {found}, the receipts come to {turnover}",
            )
        previous = compact
    return {"receipts": counted, "turnover": str(turnover)}


def check_jsonl(folder, faults):
    """Sequence and segments; the links themselves are BLAKE3, which Python's library does not have."""
    counts = {}
    for path in sorted(folder.glob("*.jsonl")):
        sequence, link, total = None, None, 0
        with open(path, encoding="utf-8") as file:
            for line in file:
                record = json.loads(line)
                if "problem" in record:
                    faults.append(f"{path.name}: {record['problem']}")
                elif "header" in record:
                    before = record["previousLink"]
                    faults.hold(link in (None, before), f"{path.name}: a segment follows {before}")
                    link = record["link"]
                else:
                    found, link, total = record["sequence"], record["link"], total + 1
                    faults.hold(
                        sequence is None or found == sequence + 1,
                        f"{path.name}: record {found} follows {sequence}",
                    )
                    sequence = found
        counts[path.name] = total
    faults.hold(counts, "there is no journal")
    return {"records": counts}


def main():
    checks = {"dsfinvk": check_dsfinvk, "dep": check_dep, "jsonl": check_jsonl}
    if len(sys.argv) != 3 or sys.argv[1] not in checks:
        print(__doc__, file=sys.stderr)
        return 2
    faults = Faults()
    counts = checks[sys.argv[1]](Path(sys.argv[2]), faults)
    print(json.dumps({"ok": not faults, **counts, "faults": faults[:50]}))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
