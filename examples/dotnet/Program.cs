// The example's commands:
//
//     coffee                        one coffee, by the classic calls
//     play ROOT ID WALL_NS FILE     a file of sales (see __test__/contract/README.md)
//     hold ROOT ID                  begins a sale, says so and waits to be ended
//     threads ROOT ID COUNT SALES   so many threads ring up so many sales each on one terminal
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

namespace PosKernel
{
    internal static class Program
    {
        private static int Main(string[] arguments)
        {
            Console.OutputEncoding = new UTF8Encoding(false);
            try
            {
                switch (arguments.Length == 0 ? "coffee" : arguments[0])
                {
                    case "coffee":
                        Coffee();
                        return 0;
                    case "play":
                        new Player(arguments[1], arguments[2], long.Parse(arguments[3])).Play(arguments[4]);
                        return 0;
                    case "hold":
                        Hold(arguments[1], arguments[2]);
                        return 0;
                    case "threads":
                        Threads(arguments[1], arguments[2], int.Parse(arguments[3]), int.Parse(arguments[4]));
                        return 0;
                    default:
                        Console.Error.WriteLine("coffee, play, hold or threads");
                        return 2;
                }
            }
            catch (PosKernelException refusal)
            {
                Console.Error.WriteLine(refusal.Json);
                return 1;
            }
        }

        /// <summary>The first example, call by call.</summary>
        private static void Coffee()
        {
            byte[] id = Encoding.UTF8.GetBytes("REGISTER_01");
            PkResult result = RustNative.pk_initialize_terminal(id, id.Length);
            if (!RustNative.pk_result_is_ok(result))
            {
                PosTerminalClient.Check(result);
            }
            byte[] store = Encoding.UTF8.GetBytes("STORE_001");
            byte[] currency = Encoding.UTF8.GetBytes("USD");
            byte[] sku = Encoding.UTF8.GetBytes("COFFEE_001");
            PosTerminalClient.Check(RustNative.pk_begin_transaction_legal(
                store, store.Length, currency, currency.Length, out ulong sale));
            PosTerminalClient.Check(RustNative.pk_add_line_legal(sale, sku, sku.Length, 1, 399));
            PosTerminalClient.Check(RustNative.pk_add_cash_tender_legal(sale, 500));
            // The tender covered the total, so the sale is complete; a commit says so again.
            PosTerminalClient.Check(RustNative.pk_commit_transaction_legal(sale));
            PosTerminalClient.Check(RustNative.pk_get_totals_legal(
                sale, out long total, out long tendered, out long change, out int state));
            PosTerminalClient.Check(RustNative.pk_get_receipt_number(sale, out ulong receipt));
            PosTerminalClient.Check(RustNative.pk_close_transaction_legal(sale));
            PosTerminalClient.Check(RustNative.pk_verify_wal_integrity());
            PosTerminalClient.Check(RustNative.pk_shutdown_terminal());
            Console.WriteLine(
                "{{\"total\":{0},\"tendered\":{1},\"change\":{2},\"state\":{3},\"receipt\":{4}}}",
                total, tendered, change, state, receipt);
        }

        private static void Hold(string root, string id)
        {
            using (PosTerminalClient client = PosTerminalClient.Open(id, root))
            {
                TransactionHandle sale = client.BeginTransaction("STORE_001", "EUR", "held");
                client.AddLine(sale, new LineInput { Sku = "COFFEE_001", UnitPrice = 399 });
                client.AddLine(sale, new LineInput { Sku = "CAKE", Quantity = 2, UnitPrice = 250 });
                Console.WriteLine("held");
                Console.Out.Flush();
                Console.In.ReadToEnd();
            }
        }

        private static void Threads(string root, string id, int count, int sales)
        {
            using (PosTerminalClient client = PosTerminalClient.Open(id, root))
            {
                var receipts = new HashSet<ulong>();
                var tasks = new List<Task>();
                for (int i = 0; i < count; i += 1)
                {
                    tasks.Add(Task.Run(() => Ring(client, sales, receipts)));
                }
                Task.WaitAll(tasks.ToArray());
                Console.WriteLine("{{\"receipts\":{0}}}", receipts.Count);
            }
        }

        private static void Ring(PosTerminalClient client, int sales, HashSet<ulong> receipts)
        {
            for (int i = 0; i < sales; i += 1)
            {
                using (TransactionHandle sale = client.BeginTransactionAsync("STORE_001", "EUR").Result)
                {
                    client.AddLineAsync(sale, new LineInput { Sku = "COFFEE_001", UnitPrice = 399 }).Wait();
                    PkTenderAnswer answer = client.AddTender(sale, new TenderInput { Amount = 500 });
                    if (answer.change != 101) throw new InvalidOperationException("change " + answer.change);
                    ulong receipt = client.CompleteAsync(sale).Result;
                    lock (receipts) receipts.Add(receipt);
                }
            }
        }
    }

    /// <summary>Plays rows of a file and prints each receipt.</summary>
    internal sealed class Player
    {
        private readonly PosTerminalClient client;
        private TransactionHandle sale;

        internal Player(string root, string id, long wallNs)
        {
            client = PosTerminalClient.Open(id, root, wallNs);
        }

        internal void Play(string path)
        {
            using (client)
            using (var reader = new StreamReader(path, new UTF8Encoding(false)))
            {
                for (string[] row = Next(reader); row != null; row = Next(reader))
                {
                    bool isRefusal = row[0].StartsWith("!", StringComparison.Ordinal);
                    string expected = isRefusal ? row[0].Substring(1) : null;
                    string answered = null;
                    ulong receipt = 0;
                    try
                    {
                        receipt = Row(reader, row, isRefusal ? 1 : 0);
                    }
                    catch (PosKernelException refusal)
                    {
                        answered = refusal.Detail;
                    }
                    if (answered != expected)
                    {
                        throw new InvalidOperationException(
                            string.Join(" ", row) + ": answered " + answered + " where " + expected + " is expected");
                    }
                    if (receipt != 0) Console.WriteLine(client.GetReceiptJson(receipt));
                }
            }
        }

        /// <summary>Plays one row, whose name stands in a field, and gives the receipt that it made.</summary>
        private ulong Row(StreamReader reader, string[] row, int at)
        {
            string[] field = new string[row.Length - at];
            for (int i = at; i < row.Length; i += 1) field[i - at] = row[i] == "-" ? null : row[i];
            switch (field[0])
            {
                case "begin":
                    sale = client.BeginTransaction(field[1], field[2], field[3], field[4]);
                    return 0;
                case "line":
                    client.AddLine(sale, Line(field));
                    return 0;
                case "policy":
                    client.SetPolicy(
                        new PolicyInput
                        {
                            Currency = field[1],
                            Prices = Choice(field[2], "net", "gross"),
                            TaxScope = Choice(field[3], "perRate", "perLine", "perUnit"),
                            CashStep = uint.Parse(field[4]),
                        },
                        field[5]);
                    return 0;
                case "item":
                    client.AddLine(sale, Item(field));
                    return 0;
                case "price":
                    client.OverridePrice(
                        sale, uint.Parse(field[1]), Exact(field[2]), field[4], Exact(field[3]));
                    return 0;
                case "taxes":
                    client.OverrideTaxes(sale, uint.Parse(field[1]), Taxes(field[2]), field[3]);
                    return 0;
                case "adjust":
                    AdjustmentInput adjustment = Adjustment(field[2], field[3], field[4], field[5]);
                    if (field[1] == null) client.AdjustSale(sale, adjustment);
                    else client.AdjustLine(sale, uint.Parse(field[1]), adjustment);
                    return 0;
                case "retract":
                    client.Retract(sale, uint.Parse(field[1]), field[2]);
                    return 0;
                case "pay":
                    client.AddTender(sale, Payment(field));
                    return 0;
                case "quantity":
                    client.SetQuantity(sale, uint.Parse(field[1]), Exact(field[2]), field[3]);
                    return 0;
                case "void-line":
                    client.VoidLine(sale, uint.Parse(field[1]), field[3], field[2] == "1");
                    return 0;
                case "tender":
                    client.AddTender(sale, Tender(field));
                    return 0;
                case "confirm":
                    client.ConfirmTender(sale, uint.Parse(field[1]), field[2]);
                    return 0;
                case "decline":
                    client.DeclineTender(sale, uint.Parse(field[1]), field[2]);
                    return 0;
                case "void-tender":
                    client.VoidTender(sale, uint.Parse(field[1]), field[2]);
                    return 0;
                case "complete":
                    return client.Complete(sale, field[1]);
                case "void":
                    client.Void(sale, field[1]);
                    return 0;
                case "close":
                    sale.Dispose();
                    return 0;
                case "sell":
                    var lines = new List<LineInput>();
                    var tenders = new List<TenderInput>();
                    for (int i = int.Parse(field[5]); i > 0; i -= 1) lines.Add(CartLine(Clean(Next(reader))));
                    for (int i = int.Parse(field[6]); i > 0; i -= 1) tenders.Add(CartTender(Clean(Next(reader))));
                    return client.Sell(field[1], field[2], lines, tenders, field[3], field[4]);
                default:
                    throw new InvalidOperationException("no operation " + field[0]);
            }
        }

        private static string[] Next(StreamReader reader)
        {
            for (string line = reader.ReadLine(); line != null; line = reader.ReadLine())
            {
                if (line.Length > 0 && line[0] != '#') return line.Split('\t');
            }
            return null;
        }

        private static string[] Clean(string[] row)
        {
            for (int i = 0; i < row.Length; i += 1) if (row[i] == "-") row[i] = null;
            return row;
        }

        /// <summary>The place of a name among those of a choice, from 1; 0 for none.</summary>
        private static uint Choice(string name, params string[] names)
        {
            return (uint)(Array.IndexOf(names, name) + 1);
        }

        private static LineInput CartLine(string[] field)
        {
            return field[0] == "item" ? Item(field) : Line(field);
        }

        private static TenderInput CartTender(string[] field)
        {
            return field[0] == "pay" ? Payment(field) : Tender(field);
        }

        private static LineInput Item(string[] field)
        {
            var line = new LineInput
            {
                Sku = field[1],
                Quantity = Exact(field[2]),
                UnitPrice = Exact(field[3]),
                Kind = Choice(field[5], "item", "surcharge", "deposit", "tip"),
                Taxes = Taxes(field[6]),
            };
            if (field[4] != null) line.Per = Exact(field[4]);
            if (field[7] != null)
            {
                line.Adjustments = new[] { Adjustment("discount", field[7], null, "offer") };
            }
            return line;
        }

        /// <summary>"A:190000,CITY:25000:on" are two taxes, of which the second is not in the price.</summary>
        private static List<TaxInput> Taxes(string field)
        {
            var taxes = new List<TaxInput>();
            foreach (string tax in (field ?? "").Split(new[] { ',' }, StringSplitOptions.RemoveEmptyEntries))
            {
                string[] part = tax.Split(':');
                taxes.Add(new TaxInput
                {
                    Class = part[0],
                    RatePpm = uint.Parse(part[1]),
                    Inclusive = part.Length > 2 ? part[2] == "in" : (bool?)null,
                });
            }
            return taxes;
        }

        private static AdjustmentInput Adjustment(string direction, string amount, string ppm, string reason)
        {
            return new AdjustmentInput
            {
                Direction = Choice(direction, "discount", "surcharge"),
                Unit = ppm == null ? RustNative.PK_ADJUST_AMOUNT : RustNative.PK_ADJUST_PPM,
                Value = long.Parse(ppm ?? amount, CultureInfo.InvariantCulture),
                Reason = reason,
            };
        }

        private static TenderInput Payment(string[] field)
        {
            return new TenderInput
            {
                Kind = Choice(field[1], "cash", "card", "voucher", "foreign", "other"),
                Amount = long.Parse(field[2], CultureInfo.InvariantCulture),
                Tip = field[3] == null ? 0 : long.Parse(field[3], CultureInfo.InvariantCulture),
                Currency = field[4],
                Rate = field[5] == null ? 0 : Exact(field[5]),
                Per = field[6] == null ? 0 : uint.Parse(field[6]),
            };
        }

        private static LineInput Line(string[] field)
        {
            return new LineInput
            {
                Sku = field[1],
                Text = field[2],
                Quantity = Exact(field[3]),
                UnitPrice = Exact(field[4]),
                Parent = field[5] == null ? 0 : uint.Parse(field[5]),
                Key = field[6],
            };
        }

        private static TenderInput Tender(string[] field)
        {
            return new TenderInput
            {
                Kind = field[1] == "cash" ? RustNative.PK_TENDER_CASH : RustNative.PK_TENDER_CARD,
                Amount = long.Parse(field[2], CultureInfo.InvariantCulture),
                IsPending = field[3] == "1",
                Reference = field[4],
                Key = field[5],
            };
        }

        private static decimal Exact(string text)
        {
            return decimal.Parse(text, CultureInfo.InvariantCulture);
        }
    }
}
