"""Plays a file of sales on a terminal and prints each receipt as a line of JSON.

The file's form is told in __test__/contract/README.md.

    python3 play.py ROOT TERMINAL WALL_NS FILE
"""

import json
import sys

from pos_terminal import PosError, Terminal, line_input, tender_input


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
        rows = [line_input(*line_of(next(self.rows)[1:])) for _ in range(int(lines))]
        paid = [tender_input(*tender_of(next(self.rows)[1:])) for _ in range(int(tenders))]
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
