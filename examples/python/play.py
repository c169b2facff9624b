"""Plays a file of sales on a terminal and prints each receipt as a line of JSON.

The file's form is told in __test__/contract/README.md.

    python3 play.py ROOT TERMINAL WALL_NS FILE
"""

import json
import sys

from pos_terminal import (
    PosError,
    Terminal,
    adjustment_input,
    line_input,
    tax_input,
    tender_input,
)


def rows_of(path):
    """The rows of a file that are not remarks, cut at their tabs; "-" is none."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            line = line.rstrip("\n")
            if line and not line.startswith("#"):
                yield [None if field == "-" else field for field in line.split("\t")]


def line_of(fields):
    sku, text, quantity, unit_price, parent, key = fields
    return (sku, quantity, unit_price, text, parent and int(parent), key)


def tender_of(fields):
    kind, amount, pending, reference, key = fields
    return (kind, int(amount), pending == "1", reference, key)


def taxes_of(field):
    """"A:190000,CITY:25000:on" are two taxes, of which the second is not in the price."""
    taxes = []
    for tax in (field or "").split(",") if field else []:
        tax_class, ppm, *where = tax.split(":")
        inclusive = {"in": True, "on": False}.get(where[0]) if where else None
        taxes.append(tax_input(tax_class, int(ppm), inclusive))
    return taxes


def adjustment_of(direction, amount, ppm, reason):
    return adjustment_input(
        direction, reason, amount=amount and int(amount), ppm=ppm and int(ppm)
    )


def item_of(fields):
    sku, quantity, unit_price, per, kind, taxes, off = fields
    return {
        "sku": sku,
        "quantity": quantity,
        "unit_price": unit_price,
        "per": per,
        "kind": kind,
        "taxes": taxes_of(taxes),
        "adjustments": [] if off is None else [adjustment_of("discount", off, None, "offer")],
    }


def payment_of(fields):
    kind, amount, tip, currency, rate, per = fields
    return {
        "kind": kind,
        "amount": int(amount),
        "tip": int(tip or 0),
        "currency": currency,
        "rate": rate,
        "per": int(per or 0),
    }


def cart_line(row):
    """A line of a cart: a `line` or an `item` row."""
    name, *fields = row
    return line_input(**item_of(fields)) if name == "item" else line_input(*line_of(fields))


def cart_tender(row):
    """A tender of a cart: a `tender` or a `pay` row."""
    name, *fields = row
    return tender_input(**payment_of(fields)) if name == "pay" else tender_input(*tender_of(fields))


class Player:
    """The terminal, the sale that is under way and the rows that are still to come."""

    def __init__(self, terminal, rows):
        self.terminal = terminal
        self.rows = rows
        self.sale = None

    def play(self, name, *fields):
        """Plays one row and gives the receipt that it made, if it made one."""
        operation = getattr(self, "_" + name.replace("-", "_"))
        return operation(*fields)

    def _begin(self, store, currency, reference, key):
        self.sale = self.terminal.begin(store, currency, reference, key)

    def _line(self, *fields):
        self.sale.add_line(*line_of(fields))

    def _policy(self, currency, prices, tax_scope, cash_step, key):
        self.terminal.set_policy(currency, prices, tax_scope, int(cash_step), key)

    def _item(self, *fields):
        self.sale.add_line(**item_of(fields))

    def _price(self, line, unit_price, per, reason):
        self.sale.override_price(int(line), unit_price, reason, per)

    def _taxes(self, line, taxes, reason):
        self.sale.override_taxes(int(line), taxes_of(taxes), reason)

    def _adjust(self, line, direction, amount, ppm, reason):
        self.sale.adjust(adjustment_of(direction, amount, ppm, reason), line and int(line))

    def _retract(self, number, reason):
        self.sale.retract(int(number), reason)

    def _pay(self, *fields):
        self.sale.tender(**payment_of(fields))

    def _quantity(self, line, quantity, reason):
        self.sale.set_quantity(int(line), quantity, reason)

    def _void_line(self, line, linked, reason):
        self.sale.void_line(int(line), reason, linked == "1")

    def _tender(self, *fields):
        self.sale.tender(*tender_of(fields))

    def _confirm(self, tender, auth):
        self.sale.confirm_tender(int(tender), auth)

    def _decline(self, tender, reason):
        self.sale.decline_tender(int(tender), reason)

    def _void_tender(self, tender, reason):
        self.sale.void_tender(int(tender), reason)

    def _complete(self, key):
        return self.sale.complete(key)

    def _void(self, reason):
        self.sale.void(reason)

    def _close(self):
        self.sale.close()

    def _sell(self, store, currency, reference, key, lines, tenders):
        rows = [cart_line(next(self.rows)) for _ in range(int(lines))]
        paid = [cart_tender(next(self.rows)) for _ in range(int(tenders))]
        return self.terminal.sell(
            store, currency, rows, tenders=paid, reference=reference, key=key
        )


def main(root, terminal_id, wall_ns, path):
    rows = rows_of(path)
    with Terminal(terminal_id, root=root, test_wall_ns=int(wall_ns)) as terminal:
        player = Player(terminal, rows)
        for row in rows:
            expected = row.pop(0)[1:] if row[0].startswith("!") else None
            try:
                receipt = player.play(*row)
                answered = None
            except PosError as refusal:
                receipt, answered = None, refusal.code
            if answered != expected:
                sys.exit(f"{row}: answered {answered} where {expected} is expected")
            if receipt is not None:
                print(json.dumps(receipt, ensure_ascii=False, sort_keys=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
