import { connectTerminal, verifyStore } from 'pos-kernel'
const t = await connectTerminal({ root: '/tmp/st', id: 'T1' })
console.log(t.id, t.root, t.durability, t.recovery.clean)
const cart = { store: 's', currency: 'EUR', lines: [{ sku: 'a', quantity: 2, unitPrice: 320 }], tenders: [{ kind: 'cash', amount: 1000 }] }
const r = await t.sell(cart)
console.log(r)
const sale = t.beginSync({ store: 's', currency: 'EUR' })
const p = sale.addLine({ sku: 'x', quantity: '0.5', unitPrice: 100, taxes: [{ rate: 7 }] })
console.log(sale.totals().gross, (await p).totals.gross)
try { await sale.complete() } catch (e) { console.log(e.constructor.name, e.code, e.facts) }
try { await t.sell({ ...cart, store: 'a\nb' }) } catch (e) { console.log(e.code, e.facts) }
try { t.sale(99) } catch (e) { console.log(e.code, e.facts) }
console.log(t.sellSync({ ...cart, discount: { percent: 10, reason: 'x' } }).gross)
console.log((await t.xReport()).turnover.length, (await t.receipt(1)).gross, t.status().openSales)
await t.close()
console.log(t.stats().frames)
try { await connectTerminal({ root: '/tmp/st', id: 'bad id' }) } catch (e) { console.log(e.code, e.message) }
