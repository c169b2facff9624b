"""One coffee, by the classic calls: REGISTER_01 sells COFFEE_001 at 3.99 USD for a five.

    POS_KERNEL_LIBRARY=target/capi/lib/libpos_kernel.so POS_KERNEL_ROOT=./store \
        python3 examples/python/coffee.py
"""

import ctypes
import json

from pos_terminal import check, library


def main():
    def sized(value):
        data = value.encode("utf-8")
        return data, len(data)

    check(library.pk_initialize_terminal(*sized("REGISTER_01")))
    sale = ctypes.c_uint64()
    check(
        library.pk_begin_transaction_legal(
            *sized("STORE_001"), *sized("USD"), ctypes.byref(sale)
        )
    )
    check(library.pk_add_line_legal(sale, *sized("COFFEE_001"), 1, 399))
    check(library.pk_add_cash_tender_legal(sale, 500))
    # The tender covered the total, so the sale is complete; a commit says so again.
    check(library.pk_commit_transaction_legal(sale))
    total, tendered, change = ctypes.c_int64(), ctypes.c_int64(), ctypes.c_int64()
    state, receipt = ctypes.c_int32(), ctypes.c_uint64()
    outs = [ctypes.byref(value) for value in (total, tendered, change, state)]
    check(library.pk_get_totals_legal(sale, *outs))
    check(library.pk_get_receipt_number(sale, ctypes.byref(receipt)))
    check(library.pk_close_transaction_legal(sale))
    check(library.pk_verify_wal_integrity())
    check(library.pk_shutdown_terminal())
    names = ("total", "tendered", "change", "state", "receipt")
    values = (total, tendered, change, state, receipt)
    told = {name: value.value for name, value in zip(names, values)}
    print(json.dumps(told, separators=(",", ":")))


if __name__ == "__main__":
    main()
