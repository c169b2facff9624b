// A till for .NET: terminals and sales as objects over the C library, safe for any number of threads.
//
// Read PosTerminalClient first. A refusal is a PosKernelException with the code of the C interface and
// the name of the exact case. Amounts are integers of minor units; quantities and prices are
// decimal, which is exact; no double crosses.
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading.Tasks;

namespace PosKernel
{
    /// <summary>A call was refused and has changed nothing.</summary>
    public sealed class PosKernelException : Exception
    {
        /// <summary>Code of the C interface, PK_NOT_FOUND and so on.</summary>
        public int Code { get; }

        /// <summary>Name of the exact case, such as PK_E_UNDERPAID.</summary>
        public string Detail { get; }

        /// <summary>The case as JSON: code, message, facts.</summary>
        public string Json { get; }

        internal PosKernelException(int code, string detail, string message, string json) : base(message)
        {
            Code = code;
            Detail = detail;
            Json = json;
        }
    }

    /// <summary>The handle of an open terminal. Disposing it closes the terminal.</summary>
    public sealed class TerminalHandle : SafeHandle
    {
        internal TerminalHandle(ulong value) : base(IntPtr.Zero, true)
        {
            SetHandle(new IntPtr(unchecked((long)value)));
        }

        /// <inheritdoc/>
        public override bool IsInvalid { get { return handle == IntPtr.Zero; } }

        internal ulong Value { get { return unchecked((ulong)handle.ToInt64()); } }

        /// <inheritdoc/>
        protected override bool ReleaseHandle()
        {
            return RustNative.pk_terminal_close(Value).code == RustNative.PK_OK;
        }
    }

    /// <summary>
    /// The handle of a sale. Disposing it lets go of a sale that is over; one that is still open stays
    /// open and can be found again on its terminal.
    /// </summary>
    public sealed class TransactionHandle : SafeHandle
    {
        internal TransactionHandle(ulong value) : base(IntPtr.Zero, true)
        {
            SetHandle(new IntPtr(unchecked((long)value)));
        }

        /// <inheritdoc/>
        public override bool IsInvalid { get { return handle == IntPtr.Zero; } }

        internal ulong Value { get { return unchecked((ulong)handle.ToInt64()); } }

        /// <inheritdoc/>
        protected override bool ReleaseHandle()
        {
            RustNative.pk_close_transaction(Value);
            return true;
        }
    }

    /// <summary>A line to add.</summary>
    public sealed class LineInput
    {
        /// <summary>Stock-keeping unit.</summary>
        public string Sku;
        /// <summary>Text for people, or null.</summary>
        public string Text;
        /// <summary>Quantity; negative for a return line.</summary>
        public decimal Quantity = 1;
        /// <summary>Price of <see cref="Per"/> units in minor units.</summary>
        public decimal UnitPrice;
        /// <summary>Units that the price is for; null for one.</summary>
        public decimal? Per;
        /// <summary>PK_LINE_KIND_..., or 0 for an item.</summary>
        public uint Kind;
        /// <summary>Its taxes, or null.</summary>
        public IList<TaxInput> Taxes;
        /// <summary>Discounts and surcharges that it begins with, or null.</summary>
        public IList<AdjustmentInput> Adjustments;
        /// <summary>Number of the approval for a return without its receipt; 0 for none.</summary>
        public ulong Approval;
        /// <summary>The line that it belongs to; 0 for none.</summary>
        public uint Parent;
        /// <summary>Idempotency key, or null.</summary>
        public string Key;
    }

    /// <summary>A tax of a line.</summary>
    public sealed class TaxInput
    {
        /// <summary>Class, or null.</summary>
        public string Class;
        /// <summary>Rate in parts per million: 19 % is 190,000.</summary>
        public uint RatePpm;
        /// <summary>The price contains it; null for what the policy says.</summary>
        public bool? Inclusive;
    }

    /// <summary>A discount or a surcharge.</summary>
    public sealed class AdjustmentInput
    {
        /// <summary>PK_ADJUST_DISCOUNT or PK_ADJUST_SURCHARGE.</summary>
        public uint Direction = RustNative.PK_ADJUST_DISCOUNT;
        /// <summary>PK_ADJUST_AMOUNT or PK_ADJUST_PPM.</summary>
        public uint Unit = RustNative.PK_ADJUST_AMOUNT;
        /// <summary>Minor units, or parts per million of the amount as it stands.</summary>
        public long Value;
        /// <summary>Why.</summary>
        public string Reason;
        /// <summary>Number of the approval for it; 0 for none.</summary>
        public ulong Approval;
    }

    /// <summary>The rules by which sales of a currency are priced; what is 0 has its default.</summary>
    public sealed class PolicyInput
    {
        /// <summary>Three letters of ISO 4217.</summary>
        public string Currency;
        /// <summary>PK_PRICES_...</summary>
        public uint Prices;
        /// <summary>PK_TAX_PER_...</summary>
        public uint TaxScope;
        /// <summary>Smallest cash in minor units.</summary>
        public uint CashStep;
        /// <summary>PK_UNBOUND_...</summary>
        public uint UnboundReturns;
    }

    /// <summary>A tender to take.</summary>
    public sealed class TenderInput
    {
        /// <summary>PK_TENDER_CASH and so on.</summary>
        public uint Kind = RustNative.PK_TENDER_CASH;
        /// <summary>Minor units, tip included; of the foreign currency for foreign money.</summary>
        public long Amount;
        /// <summary>The part that is a tip.</summary>
        public long Tip;
        /// <summary>Currency of foreign money, or null.</summary>
        public string Currency;
        /// <summary>What <see cref="Per"/> whole units of it are worth.</summary>
        public decimal Rate;
        /// <summary>Units that the rate is for; 0 for one.</summary>
        public uint Per;
        /// <summary>The outcome is not known yet.</summary>
        public bool IsPending;
        /// <summary>The host's reference, or null.</summary>
        public string Reference;
        /// <summary>Idempotency key, or null.</summary>
        public string Key;
    }

    /// <summary>What a sale comes to, in minor units.</summary>
    public struct Totals
    {
        /// <summary>Sum of the live lines.</summary>
        public long Total;
        /// <summary>Confirmed tenders.</summary>
        public long Tendered;
        /// <summary>To be given back.</summary>
        public long Change;
        /// <summary>PK_STATE_...</summary>
        public int State;
    }

    /// <summary>An open terminal. Every method may be called from any thread.</summary>
    public sealed class PosTerminalClient : IDisposable
    {
        private readonly TerminalHandle terminal;

        private PosTerminalClient(TerminalHandle terminal)
        {
            this.terminal = terminal;
        }

        /// <summary>Opens a terminal and recovers what its last owner left.</summary>
        /// <param name="id">1 to 32 of A-Z a-z 0-9 _ -.</param>
        /// <param name="root">Root folder; null for POS_KERNEL_ROOT, else ./pos_kernel_data.</param>
        /// <param name="testWallNs">A clock of tests; null for the real one.</param>
        public static PosTerminalClient Open(string id, string root = null, long? testWallNs = null)
        {
            using (var pins = new Pins())
            {
                var options = new PkTerminalOptions
                {
                    struct_size = Pins.Size<PkTerminalOptions>(),
                    flags = testWallNs == null ? 0 : RustNative.PK_OPEN_TEST_CLOCK,
                    root = pins.Text(root),
                    id = pins.Text(id),
                    host_version = pins.Text(".NET " + Environment.Version),
                    test_wall_ns = testWallNs ?? 0,
                };
                Check(RustNative.pk_terminal_open(ref options, out ulong handle));
                return new PosTerminalClient(new TerminalHandle(handle));
            }
        }

        /// <summary>Closes the terminal. Open sales come back when it is opened again.</summary>
        public void Dispose()
        {
            terminal.Dispose();
        }

        /// <summary>Begins a sale.</summary>
        public TransactionHandle BeginTransaction(
            string store, string currency, string reference = null, string key = null, bool autoComplete = false)
        {
            using (var pins = new Pins())
            {
                var options = new PkTransactionOptions
                {
                    struct_size = Pins.Size<PkTransactionOptions>(),
                    flags = autoComplete ? RustNative.PK_BEGIN_AUTO_COMPLETE : 0,
                    store = pins.Text(store),
                    currency = pins.Text(currency),
                    reference = pins.Text(reference),
                    key = pins.Text(key),
                };
                ulong handle = 0;
                Use(value => RustNative.pk_begin_transaction_ex(value, ref options, out handle));
                return new TransactionHandle(handle);
            }
        }

        /// <summary>As <see cref="BeginTransaction"/>, on a thread of the pool.</summary>
        public Task<TransactionHandle> BeginTransactionAsync(string store, string currency)
        {
            return Task.Run(() => BeginTransaction(store, currency));
        }

        /// <summary>Adds a line and gives its number.</summary>
        public uint AddLine(TransactionHandle sale, LineInput line)
        {
            using (var pins = new Pins())
            {
                PkLineInput input = Line(pins, line);
                var answer = new PkLineAnswer { struct_size = Pins.Size<PkLineAnswer>() };
                Use(sale, value => RustNative.pk_add_line_ex(value, ref input, ref answer));
                return answer.line;
            }
        }

        /// <summary>As <see cref="AddLine"/>, on a thread of the pool.</summary>
        public Task<uint> AddLineAsync(TransactionHandle sale, LineInput line)
        {
            return Task.Run(() => AddLine(sale, line));
        }

        /// <summary>Changes the quantity of a line.</summary>
        public void SetQuantity(TransactionHandle sale, uint line, decimal quantity, string reason)
        {
            using (var pins = new Pins())
            {
                PkDecimal exact = Exact(quantity);
                PkReason why = Reason(pins, reason);
                var answer = new PkLineAnswer { struct_size = Pins.Size<PkLineAnswer>() };
                Use(sale, value =>
                    RustNative.pk_set_line_quantity(value, line, ref exact, ref why, ref answer));
            }
        }

        /// <summary>Sets the rules by which sales of a currency are priced from here on.</summary>
        public unsafe void SetPolicy(PolicyInput policy, string key = null)
        {
            byte[] text = Pins.Bytes(key);
            var rules = new PkPolicy
            {
                struct_size = Pins.Size<PkPolicy>(),
                prices = policy.Prices,
                tax_scope = policy.TaxScope,
                cash_step = policy.CashStep,
                unbound_returns = policy.UnboundReturns,
            };
            byte[] letters = Pins.Bytes(policy.Currency);
            for (int i = 0; i < letters.Length && i < 8; i += 1) rules.currency[i] = letters[i];
            var answer = new PkPolicyAnswer { struct_size = Pins.Size<PkPolicyAnswer>() };
            Use(value => RustNative.pk_set_policy(value, ref rules, text, text.Length, ref answer));
        }

        /// <summary>Overrides the price of a line.</summary>
        public void OverridePrice(
            TransactionHandle sale, uint line, decimal unitPrice, string reason, decimal per = 1)
        {
            using (var pins = new Pins())
            {
                PkDecimal price = Exact(unitPrice);
                PkDecimal units = Exact(per);
                PkReason why = Reason(pins, reason);
                var answer = new PkLineAnswer { struct_size = Pins.Size<PkLineAnswer>() };
                Use(sale, value => RustNative.pk_override_line_price(
                    value, line, ref price, ref units, ref why, ref answer));
            }
        }

        /// <summary>Overrides the taxes of a line.</summary>
        public void OverrideTaxes(
            TransactionHandle sale, uint line, IList<TaxInput> taxes, string reason)
        {
            using (var pins = new Pins())
            {
                PkTaxInput[] given = Taxes(pins, taxes);
                PkReason why = Reason(pins, reason);
                var answer = new PkLineAnswer { struct_size = Pins.Size<PkLineAnswer>() };
                Use(sale, value => RustNative.pk_override_line_taxes(
                    value, line, given, (UIntPtr)given.Length, ref why, ref answer));
            }
        }

        /// <summary>Gives a line a discount or a surcharge, and its number in the sale.</summary>
        public uint AdjustLine(TransactionHandle sale, uint line, AdjustmentInput adjustment)
        {
            using (var pins = new Pins())
            {
                PkAdjustment given = Adjustment(pins, adjustment);
                var answer = new PkLineAnswer { struct_size = Pins.Size<PkLineAnswer>() };
                Use(sale, value => RustNative.pk_adjust_line(value, line, ref given, ref answer));
                return answer.adjustment;
            }
        }

        /// <summary>Gives the sale a discount or a surcharge; its answer tells what it comes to.</summary>
        public PkAdjustmentAnswer AdjustSale(TransactionHandle sale, AdjustmentInput adjustment)
        {
            using (var pins = new Pins())
            {
                PkAdjustment given = Adjustment(pins, adjustment);
                var answer = new PkAdjustmentAnswer { struct_size = Pins.Size<PkAdjustmentAnswer>() };
                Use(sale, value => RustNative.pk_adjust_transaction(value, ref given, ref answer));
                return answer;
            }
        }

        /// <summary>Takes a discount or a surcharge back.</summary>
        public void Retract(TransactionHandle sale, uint adjustment, string reason)
        {
            using (var pins = new Pins())
            {
                PkReason why = Reason(pins, reason);
                var answer = new PkAdjustmentAnswer { struct_size = Pins.Size<PkAdjustmentAnswer>() };
                Use(sale, value =>
                    RustNative.pk_retract_adjustment(value, adjustment, ref why, ref answer));
            }
        }

        /// <summary>Voids a line; with <paramref name="linked"/> those that belong to it too.</summary>
        public void VoidLine(TransactionHandle sale, uint line, string reason, bool linked = false)
        {
            using (var pins = new Pins())
            {
                PkReason why = Reason(pins, reason);
                var answer = new PkLineAnswer { struct_size = Pins.Size<PkLineAnswer>() };
                uint with = linked ? 1u : 0u;
                Use(sale, value => RustNative.pk_void_line(value, line, with, ref why, ref answer));
            }
        }

        /// <summary>Takes a tender; its answer tells what is due and the change.</summary>
        public PkTenderAnswer AddTender(TransactionHandle sale, TenderInput tender)
        {
            using (var pins = new Pins())
            {
                PkTenderInput input = Tender(pins, tender);
                var answer = new PkTenderAnswer { struct_size = Pins.Size<PkTenderAnswer>() };
                Use(sale, value => RustNative.pk_add_tender_ex(value, ref input, ref answer));
                return answer;
            }
        }

        /// <summary>Confirms a pending tender.</summary>
        public void ConfirmTender(TransactionHandle sale, uint tender, string auth)
        {
            byte[] text = Pins.Bytes(auth);
            var answer = new PkTenderAnswer { struct_size = Pins.Size<PkTenderAnswer>() };
            Use(sale, value =>
                RustNative.pk_confirm_tender(value, tender, text, text.Length, null, 0, ref answer));
        }

        /// <summary>Declines a pending tender.</summary>
        public void DeclineTender(TransactionHandle sale, uint tender, string reason)
        {
            using (var pins = new Pins())
            {
                PkReason why = Reason(pins, reason);
                var answer = new PkTenderAnswer { struct_size = Pins.Size<PkTenderAnswer>() };
                Use(sale, value => RustNative.pk_decline_tender(value, tender, ref why, ref answer));
            }
        }

        /// <summary>Takes a tender back.</summary>
        public void VoidTender(TransactionHandle sale, uint tender, string reason)
        {
            using (var pins = new Pins())
            {
                PkReason why = Reason(pins, reason);
                var answer = new PkTenderAnswer { struct_size = Pins.Size<PkTenderAnswer>() };
                Use(sale, value => RustNative.pk_void_tender(value, tender, ref why, ref answer));
            }
        }

        /// <summary>Completes a sale and gives its receipt number. On the device when it returns.</summary>
        public ulong Complete(TransactionHandle sale, string key = null)
        {
            byte[] text = Pins.Bytes(key);
            var receipt = new PkReceipt { struct_size = Pins.Size<PkReceipt>() };
            Use(sale, value => RustNative.pk_complete_transaction(value, text, text.Length, ref receipt));
            return receipt.receipt;
        }

        /// <summary>As <see cref="Complete"/>, on a thread of the pool.</summary>
        public Task<ulong> CompleteAsync(TransactionHandle sale, string key = null)
        {
            return Task.Run(() => Complete(sale, key));
        }

        /// <summary>Voids a sale.</summary>
        public void Void(TransactionHandle sale, string reason)
        {
            using (var pins = new Pins())
            {
                PkReason why = Reason(pins, reason);
                Use(sale, value => RustNative.pk_void_transaction(value, ref why));
            }
        }

        /// <summary>Rings up a whole sale in one call and gives its receipt number.</summary>
        public unsafe ulong Sell(
            string store, string currency, IList<LineInput> lines, IList<TenderInput> tenders,
            string reference = null, string key = null)
        {
            using (var pins = new Pins())
            {
                var lineInputs = new PkLineInput[lines.Count];
                for (int i = 0; i < lines.Count; i += 1) lineInputs[i] = Line(pins, lines[i]);
                var tenderInputs = new PkTenderInput[tenders.Count];
                for (int i = 0; i < tenders.Count; i += 1) tenderInputs[i] = Tender(pins, tenders[i]);
                var cart = new PkCart
                {
                    struct_size = Pins.Size<PkCart>(),
                    store = pins.Text(store),
                    currency = pins.Text(currency),
                    reference = pins.Text(reference),
                    key = pins.Text(key),
                    lines = pins.Pin(lineInputs),
                    line_count = (UIntPtr)lineInputs.Length,
                    tenders = pins.Pin(tenderInputs),
                    tender_count = (UIntPtr)tenderInputs.Length,
                };
                var receipt = new PkReceipt { struct_size = Pins.Size<PkReceipt>() };
                Use(value => RustNative.pk_sell(value, ref cart, ref receipt));
                return receipt.receipt;
            }
        }

        /// <summary>What a sale comes to.</summary>
        public Totals GetTotals(TransactionHandle sale)
        {
            var totals = new Totals();
            Use(sale, value => RustNative.pk_get_totals(
                value, out totals.Total, out totals.Tendered, out totals.Change, out totals.State));
            return totals;
        }

        /// <summary>The sales that are open, those that came back included.</summary>
        public IList<TransactionHandle> OpenTransactions()
        {
            var handles = new ulong[64];
            UIntPtr count = UIntPtr.Zero;
            Use(value => RustNative.pk_list_open_transactions(
                value, handles, (UIntPtr)handles.Length, out count));
            var sales = new List<TransactionHandle>();
            for (int i = 0; i < (int)count; i += 1) sales.Add(new TransactionHandle(handles[i]));
            return sales;
        }

        /// <summary>A receipt as JSON.</summary>
        public string GetReceiptJson(ulong receipt)
        {
            return Text((byte[] buffer, UIntPtr room, out UIntPtr need) =>
                RustNative.pk_get_receipt_json(terminal.Value, receipt, buffer, room, out need));
        }

        /// <summary>Makes everything durable that was acknowledged.</summary>
        public void Sync()
        {
            Use(value => RustNative.pk_force_wal_sync_ex(value));
        }

        /// <summary>Throws what a call was refused with.</summary>
        public static void Check(PkResult result)
        {
            if (result.code == RustNative.PK_OK) return;
            string message = Text(RustNative.pk_last_error);
            string json = Text(RustNative.pk_last_error_json);
            string detail = Text((byte[] buffer, UIntPtr room, out UIntPtr need) =>
                RustNative.pk_detail_name(result.detail, buffer, room, out need));
            throw new PosKernelException(result.code, detail, message, json);
        }

        private delegate PkResult TextCall(byte[] buffer, UIntPtr room, out UIntPtr need);

        /// <summary>Calls twice: once for the length, once for the text.</summary>
        private static string Text(TextCall call)
        {
            PkResult result = call(null, UIntPtr.Zero, out UIntPtr need);
            while (result.code == RustNative.PK_INSUFFICIENT_BUFFER)
            {
                var buffer = new byte[(int)need];
                result = call(buffer, (UIntPtr)buffer.Length, out need);
                if (result.code == RustNative.PK_OK) return Encoding.UTF8.GetString(buffer, 0, (int)need);
            }
            if (result.code != RustNative.PK_OK) Check(result);
            return "";
        }

        /// <summary>A handle cannot be closed by another thread while a call uses it.</summary>
        private void Use(Func<ulong, PkResult> call)
        {
            bool isHeld = false;
            try
            {
                terminal.DangerousAddRef(ref isHeld);
                Check(call(terminal.Value));
            }
            finally
            {
                if (isHeld) terminal.DangerousRelease();
            }
        }

        private static void Use(TransactionHandle sale, Func<ulong, PkResult> call)
        {
            bool isHeld = false;
            try
            {
                sale.DangerousAddRef(ref isHeld);
                Check(call(sale.Value));
            }
            finally
            {
                if (isHeld) sale.DangerousRelease();
            }
        }

        private static PkLineInput Line(Pins pins, LineInput line)
        {
            PkTaxInput[] taxes = Taxes(pins, line.Taxes);
            var adjustments = new PkAdjustment[line.Adjustments == null ? 0 : line.Adjustments.Count];
            for (int i = 0; i < adjustments.Length; i += 1)
            {
                adjustments[i] = Adjustment(pins, line.Adjustments[i]);
            }
            return new PkLineInput
            {
                kind = line.Kind,
                per = line.Per == null ? new PkDecimal() : Exact(line.Per.Value),
                taxes = taxes.Length == 0 ? IntPtr.Zero : pins.Pin(taxes),
                tax_count = (UIntPtr)taxes.Length,
                adjustments = adjustments.Length == 0 ? IntPtr.Zero : pins.Pin(adjustments),
                adjustment_count = (UIntPtr)adjustments.Length,
                approval = line.Approval,
                struct_size = Pins.Size<PkLineInput>(),
                parent = line.Parent,
                sku = pins.Text(line.Sku),
                text = pins.Text(line.Text),
                quantity = Exact(line.Quantity),
                unit_price = Exact(line.UnitPrice),
                key = pins.Text(line.Key),
            };
        }

        private static PkTaxInput[] Taxes(Pins pins, IList<TaxInput> taxes)
        {
            var given = new PkTaxInput[taxes == null ? 0 : taxes.Count];
            for (int i = 0; i < given.Length; i += 1)
            {
                bool? inclusive = taxes[i].Inclusive;
                given[i] = new PkTaxInput
                {
                    struct_size = Pins.Size<PkTaxInput>(),
                    rate_ppm = taxes[i].RatePpm,
                    tax_class = pins.Text(taxes[i].Class),
                    inclusive = inclusive == null ? RustNative.PK_TAX_BY_POLICY
                        : inclusive.Value ? RustNative.PK_TAX_INCLUSIVE : RustNative.PK_TAX_EXCLUSIVE,
                };
            }
            return given;
        }

        private static PkAdjustment Adjustment(Pins pins, AdjustmentInput adjustment)
        {
            return new PkAdjustment
            {
                struct_size = Pins.Size<PkAdjustment>(),
                direction = adjustment.Direction,
                unit = adjustment.Unit,
                value = adjustment.Value,
                approval = adjustment.Approval,
                reason = pins.Text(adjustment.Reason),
            };
        }

        private static PkTenderInput Tender(Pins pins, TenderInput tender)
        {
            return new PkTenderInput
            {
                tip = tender.Tip,
                currency = pins.Text(tender.Currency),
                rate = tender.Currency == null ? new PkDecimal() : Exact(tender.Rate),
                per = tender.Per,
                struct_size = Pins.Size<PkTenderInput>(),
                kind = tender.Kind,
                amount = tender.Amount,
                flags = tender.IsPending ? RustNative.PK_TENDER_IS_PENDING : 0,
                reference = pins.Text(tender.Reference),
                key = pins.Text(tender.Key),
            };
        }

        private static PkReason Reason(Pins pins, string reason)
        {
            return new PkReason { struct_size = Pins.Size<PkReason>(), reason = pins.Text(reason) };
        }

        /// <summary>A decimal keeps its places: 1.50 crosses as 150 with scale 2.</summary>
        private static PkDecimal Exact(decimal value)
        {
            int[] bits = decimal.GetBits(value);
            uint scale = (uint)(bits[3] >> 16) & 0xff;
            decimal mantissa = new decimal(bits[0], bits[1], bits[2], value < 0, 0);
            return new PkDecimal { mantissa = decimal.ToInt64(mantissa), scale = scale };
        }
    }

    /// <summary>Texts and arrays that stay where they are until a call has returned.</summary>
    internal sealed class Pins : IDisposable
    {
        private readonly List<GCHandle> held = new List<GCHandle>();

        internal PkText Text(string text)
        {
            byte[] bytes = Bytes(text);
            if (bytes.Length == 0) return new PkText();
            return new PkText { data = Pin(bytes), size = (UIntPtr)bytes.Length };
        }

        internal IntPtr Pin(Array array)
        {
            GCHandle pin = GCHandle.Alloc(array, GCHandleType.Pinned);
            held.Add(pin);
            return pin.AddrOfPinnedObject();
        }

        internal static byte[] Bytes(string text)
        {
            return text == null ? new byte[0] : Encoding.UTF8.GetBytes(text);
        }

        internal static uint Size<T>()
        {
            return (uint)Marshal.SizeOf(typeof(T));
        }

        /// <inheritdoc/>
        public void Dispose()
        {
            foreach (GCHandle pin in held) pin.Free();
        }
    }
}
