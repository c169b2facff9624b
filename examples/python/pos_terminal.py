"""A till for Python: the C library by ctypes, with nothing to install.

    from pos_terminal import Terminal

    with Terminal("REGISTER_01", root="./store") as terminal:
        receipt = terminal.sell("STORE_001", "USD", [("COFFEE_001", 1, 399)], cash=500)
        print(receipt["receiptNumber"], receipt["change"])

Every call may be made from any thread. Amounts are integers of minor units; quantities and prices
are integers, decimal strings or decimal.Decimal, never floats.
"""

import ctypes
import json
import os
from decimal import Decimal

import pos_kernel_native as native

_path = os.environ.get("POS_KERNEL_LIBRARY", "libpos_kernel.so")
library = native.bind(_path)


class PosError(Exception):
    """A refusal: `code` is its name, `result` the coarse number, `facts` those of the case."""

    def __init__(self, result, name, message, facts):
        super().__init__(message)
        self.result = result
        self.code = name
        self.facts = facts


def check(result):
    """Raises what a call was refused with."""
    if result.code == native.PK_OK:
        return
    last = json.loads(text_of(library.pk_last_error_json))
    raise PosError(result.code, detail_name(result.detail), last["message"], last["facts"])


def detail_name(detail):
    """The name of a detail, such as PK_E_UNDERPAID."""
    return text_of(library.pk_detail_name, detail)


def text_of(call, *arguments):
    """Calls twice: once for the length, once for the text."""
    need = ctypes.c_size_t()
    result = call(*arguments, None, 0, ctypes.byref(need))
    while result.code == native.PK_INSUFFICIENT_BUFFER:
        buffer = ctypes.create_string_buffer(need.value)
        result = call(*arguments, buffer, need.value, ctypes.byref(need))
        if result.code == native.PK_OK:
            return buffer.raw[: need.value].decode("utf-8")
    if result.code != native.PK_OK:
        check(result)
    return ""


def text(value):
    """A text for a structure; None is none. The caller keeps `value` alive by keeping the result."""
    data = b"" if value is None else value.encode("utf-8")
    return native.PkText(data, len(data))


def decimal(value):
    """An exact decimal from an integer, a decimal string or a Decimal."""
    if isinstance(value, float):
        raise TypeError("a float is not an exact decimal; give a string or an integer")
    sign, digits, exponent = Decimal(value).as_tuple()
    mantissa = int("".join(map(str, digits))) * (-1 if sign else 1)
    if exponent > 0:
        mantissa, exponent = mantissa * 10**exponent, 0
    return native.PkDecimal(mantissa, -exponent, 0)


def sized(structure, **fields):
    """A structure with its size."""
    return structure(struct_size=ctypes.sizeof(structure), **fields)


LINE_KINDS = (None, "item", "surcharge", "deposit", "tip")
TENDER_KINDS = (None, "cash", "card", "voucher", "foreign", "other")


def tax_input(tax_class, ppm, inclusive=None):
    """A tax of a line: parts per million, inside the price, on top, or as the policy says."""
    known = {None: native.PK_TAX_BY_POLICY, False: native.PK_TAX_EXCLUSIVE}
    return sized(
        native.PkTaxInput,
        rate_ppm=ppm,
        tax_class=text(tax_class),
        inclusive=known.get(inclusive, native.PK_TAX_INCLUSIVE),
    )


def adjustment_input(direction, reason, amount=None, ppm=None, approval=0, key=None):
    """A discount or a surcharge: minor units, or parts per million of the amount as it stands."""
    return sized(
        native.PkAdjustment,
        direction=("discount", "surcharge").index(direction) + 1,
        unit=native.PK_ADJUST_PPM if amount is None else native.PK_ADJUST_AMOUNT,
        value=ppm if amount is None else amount,
        approval=approval,
        reason=text(reason),
        key=text(key),
    )


def line_input(
    sku,
    quantity,
    unit_price,
    line_text=None,
    parent=None,
    key=None,
    per=None,
    kind=None,
    taxes=(),
    adjustments=(),
    approval=0,
):
    """A line to add."""
    return sized(
        native.PkLineInput,
        parent=parent or 0,
        sku=text(sku),
        text=text(line_text),
        quantity=decimal(quantity),
        unit_price=decimal(unit_price),
        key=text(key),
        kind=LINE_KINDS.index(kind),
        per=native.PkDecimal() if per is None else decimal(per),
        taxes=(native.PkTaxInput * len(taxes))(*taxes),
        tax_count=len(taxes),
        adjustments=(native.PkAdjustment * len(adjustments))(*adjustments),
        adjustment_count=len(adjustments),
        approval=approval,
    )


def tender_input(
    kind,
    amount,
    pending=False,
    reference=None,
    key=None,
    tip=0,
    currency=None,
    rate=None,
    per=0,
):
    """A tender to take; `currency` and `rate` are those of foreign money."""
    return sized(
        native.PkTenderInput,
        kind=TENDER_KINDS.index(kind),
        amount=amount,
        flags=native.PK_TENDER_IS_PENDING if pending else 0,
        reference=text(reference),
        key=text(key),
        tip=tip,
        currency=text(currency),
        rate=native.PkDecimal() if rate is None else decimal(rate),
        per=per,
    )


def reason_input(reason, key=None):
    """Why something is taken back."""
    return sized(native.PkReason, reason=text(reason), key=text(key))


class Terminal:
    """An open terminal."""

    def __init__(self, terminal_id, root=None, durability=0, test_wall_ns=None):
        options = sized(
            native.PkTerminalOptions,
            flags=0 if test_wall_ns is None else native.PK_OPEN_TEST_CLOCK,
            root=text(root),
            id=text(terminal_id),
            host_version=text("python ctypes"),
            durability=durability,
            test_wall_ns=test_wall_ns or 0,
        )
        handle = ctypes.c_uint64()
        check(library.pk_terminal_open(ctypes.byref(options), ctypes.byref(handle)))
        self.handle = handle.value

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Closes the terminal; open sales come back at the next opening."""
        handle, self.handle = self.handle, 0
        if handle:
            check(library.pk_terminal_close(handle))

    def set_policy(self, currency, prices="net", tax_scope="perRate", cash_step=1, key=None):
        """Sets the rules by which sales of a currency are priced from here on."""
        policy = sized(
            native.PkPolicy,
            currency=(ctypes.c_uint8 * 8)(*currency.encode("ascii")),
            prices=("net", "gross").index(prices) + 1,
            tax_scope=("perRate", "perLine", "perUnit").index(tax_scope) + 1,
            cash_step=cash_step,
        )
        given = text(key)
        check(
            library.pk_set_policy(self.handle, ctypes.byref(policy), given.data, given.size, None)
        )

    def begin(self, store, currency, reference=None, key=None):
        """Begins a sale."""
        options = sized(
            native.PkTransactionOptions,
            store=text(store),
            currency=text(currency),
            reference=text(reference),
            key=text(key),
        )
        handle = ctypes.c_uint64()
        check(library.pk_begin_transaction_ex(self.handle, ctypes.byref(options), ctypes.byref(handle)))
        return Sale(self, handle.value)

    def open_sales(self):
        """The sales that are open, those that came back included."""
        count = ctypes.c_size_t()
        capacity = 64
        handles = (ctypes.c_uint64 * capacity)()
        check(library.pk_list_open_transactions(self.handle, handles, capacity, ctypes.byref(count)))
        return [Sale(self, handles[index]) for index in range(count.value)]

    def sell(self, store, currency, lines, cash=None, tenders=(), reference=None, key=None):
        """Rings up a whole sale in one call and gives its receipt."""
        rows = [line if isinstance(line, native.PkLineInput) else line_input(*line) for line in lines]
        paid = list(tenders) + ([] if cash is None else [tender_input("cash", cash)])
        cart = sized(
            native.PkCart,
            store=text(store),
            currency=text(currency),
            reference=text(reference),
            key=text(key),
            lines=(native.PkLineInput * len(rows))(*rows),
            line_count=len(rows),
            tenders=(native.PkTenderInput * len(paid))(*paid),
            tender_count=len(paid),
        )
        receipt = sized(native.PkReceipt)
        check(library.pk_sell(self.handle, ctypes.byref(cart), ctypes.byref(receipt)))
        return self.receipt(receipt.receipt)

    def receipt(self, number):
        """A receipt by its number."""
        return json.loads(text_of(library.pk_get_receipt_json, self.handle, number))

    def recovery(self):
        """What was found when the terminal was opened."""
        return json.loads(text_of(library.pk_recovery_report, self.handle))


class Sale:
    """A sale on a terminal."""

    def __init__(self, terminal, handle):
        self.terminal = terminal
        self.handle = handle

    def add_line(self, *line, **more):
        """Adds a line; see `line_input`."""
        given = line_input(*line, **more)
        answer = sized(native.PkLineAnswer)
        check(library.pk_add_line_ex(self.handle, ctypes.byref(given), ctypes.byref(answer)))
        return answer.line

    def set_quantity(self, line, quantity, reason):
        """Changes the quantity of a line."""
        exact, why = decimal(quantity), reason_input(reason)
        check(
            library.pk_set_line_quantity(
                self.handle, line, ctypes.byref(exact), ctypes.byref(why), None
            )
        )

    def override_price(self, line, unit_price, reason, per=None):
        """Overrides the price of a line."""
        price, units, why = decimal(unit_price), decimal(per or 1), reason_input(reason)
        check(
            library.pk_override_line_price(
                self.handle,
                line,
                ctypes.byref(price),
                ctypes.byref(units),
                ctypes.byref(why),
                None,
            )
        )

    def override_taxes(self, line, taxes, reason):
        """Overrides the taxes of a line; see `tax_input`."""
        given, why = (native.PkTaxInput * len(taxes))(*taxes), reason_input(reason)
        check(
            library.pk_override_line_taxes(
                self.handle, line, given, len(taxes), ctypes.byref(why), None
            )
        )

    def adjust(self, adjustment, line=None):
        """Gives a line, or the sale, a discount or a surcharge; see `adjustment_input`."""
        given = ctypes.byref(adjustment)
        if line is None:
            check(library.pk_adjust_transaction(self.handle, given, None))
        else:
            check(library.pk_adjust_line(self.handle, line, given, None))

    def retract(self, number, reason):
        """Takes a discount or a surcharge back."""
        why = reason_input(reason)
        check(library.pk_retract_adjustment(self.handle, number, ctypes.byref(why), None))

    def void_line(self, line, reason, linked=False):
        """Voids a line, with `linked` those that belong to it too."""
        why = reason_input(reason)
        check(library.pk_void_line(self.handle, line, int(linked), ctypes.byref(why), None))

    def tender(self, *tender, **more):
        """Takes a tender; see `tender_input`. Gives what is still due and the change."""
        given = tender_input(*tender, **more)
        answer = sized(native.PkTenderAnswer)
        check(library.pk_add_tender_ex(self.handle, ctypes.byref(given), ctypes.byref(answer)))
        return answer.due, answer.change

    def confirm_tender(self, tender, auth=None):
        """Confirms a pending tender."""
        given = text(auth)
        check(
            library.pk_confirm_tender(self.handle, tender, given.data, given.size, None, 0, None)
        )

    def decline_tender(self, tender, reason):
        """Declines a pending tender."""
        why = reason_input(reason)
        check(library.pk_decline_tender(self.handle, tender, ctypes.byref(why), None))

    def void_tender(self, tender, reason):
        """Takes a tender back."""
        why = reason_input(reason)
        check(library.pk_void_tender(self.handle, tender, ctypes.byref(why), None))

    def complete(self, key=None):
        """Completes the sale and gives its receipt."""
        given = text(key)
        receipt = sized(native.PkReceipt)
        check(
            library.pk_complete_transaction(
                self.handle, given.data, given.size, ctypes.byref(receipt)
            )
        )
        return self.terminal.receipt(receipt.receipt)

    def void(self, reason):
        """Voids the sale."""
        why = reason_input(reason)
        check(library.pk_void_transaction(self.handle, ctypes.byref(why)))

    def close(self):
        """Ends the handle of a sale that is over."""
        check(library.pk_close_transaction(self.handle))

    def show(self):
        """The sale with its lines, tenders and totals."""
        return json.loads(text_of(library.pk_get_transaction_json, self.handle))
