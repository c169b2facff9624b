/**
 * A whole sale in one crossing, as one text and one array of numbers.
 *
 * Reading and making objects through N-API costs more than the sale itself, so `sell` packs its
 * cart, and the receipt is made here from the cart and the numbers that come back. The layout stands
 * in `crates/node/src/packed.rs`; each terminal has an array of its own, used within one call.
 *
 * That is for carts that say only what most carts do. One with taxes, discounts, tips or foreign
 * money goes as the objects that it is, and so does one that is malformed: its error is found there.
 */
import type { NativeReceipt, NativeTerminal } from '../native.js'
import { type ReceiptAnswer, receiptAnswer } from './answers.js'
import type { NativeAnswer } from './crossing.js'
import { posError } from './errors.js'
import type { ErrorFacts } from './facts.js'
import { numberOf, optionalText, shown, text } from './input.js'
import { amount, type Decimal, quantity, unitPrice } from './money.js'
import type { ReceiptLine, ReceiptTender } from './receipt.js'
import { type Cart, type CartTender, cartOf, type LineInput } from './sale-input.js'

const HAS_REFERENCE = 1
const HAS_KEY = 2
const LINE_HAS_TEXT = 1
const LINE_QUANTITY_IS_TEXT = 2
const LINE_PRICE_IS_TEXT = 4
const LINE_HAS_PARENT = 8
const ANSWER_NUMBERS = 18
const FIRST_NUMBERS = 256

/** What of an answer is text, and the array with its numbers. */
export interface SoldWords {
  readonly texts: string
  readonly numbers: Float64Array
}

/** A receipt and what the border needs to know of it. */
export interface PackedAnswer extends NativeAnswer {
  readonly sale: number
  readonly receipt: ReceiptAnswer
}

export class SalePacker {
  #numbers = new Float64Array(FIRST_NUMBERS)

  /**
   * Checks a cart, sells it and makes its receipt. A terminal elsewhere answers with promises, and so
   * does this: the array is read before the call returns, and the answer brings one of its own.
   */
  sell(native: NativeTerminal, cart: Cart): PackedAnswer {
    if (!isPlainCart(cart)) return whenKnown(native.sellCart(cartOf(cart)), wholeAnswer)
    const { lines, tenders } = cart
    const numbers = this.#room(ANSWER_NUMBERS + 3 * lines.length + 2 * tenders.length)
    let texts = `${text('store', cart.store)}\n${text('currency', cart.currency)}`
    let flags = 0
    if (optionalText('reference', cart.reference) !== undefined) {
      flags |= HAS_REFERENCE
      texts += `\n${cart.reference}`
    }
    if (optionalText('key', cart.key) !== undefined) {
      flags |= HAS_KEY
      texts += `\n${cart.key}`
    }
    numbers[0] = lines.length
    numbers[1] = tenders.length
    numbers[2] = flags
    let at = 3
    for (const line of lines) {
      texts += packLine(line, numbers, at)
      at += 3
    }
    for (const tender of tenders) {
      texts += packTender(tender, numbers, at)
      at += 2
    }
    const answered = ({ texts, numbers }: SoldWords) => answer(cart, lines, tenders, numbers, texts)
    return whenKnown(sold(native, texts, numbers, cart), answered)
  }

  #room(count: number): Float64Array {
    if (this.#numbers.length < count) this.#numbers = new Float64Array(count * 2)
    return this.#numbers
  }
}

const plainCartNames = new Set(['store', 'currency', 'reference', 'key', 'lines', 'tenders'])
const plainLineNames = new Set(['sku', 'text', 'quantity', 'unitPrice', 'parent'])
const plainTenderNames = new Set(['kind', 'amount', 'reference'])

/** A cart that can be packed. */
function isPlainCart(cart: Cart): boolean {
  if (!hasOnly(cart, plainCartNames)) return false
  const { lines, tenders } = cart
  if (!Array.isArray(lines) || !Array.isArray(tenders)) return false
  for (const line of lines) if (!hasOnly(line, plainLineNames)) return false
  for (const tender of tenders) if (!hasOnly(tender, plainTenderNames)) return false
  return true
}

function hasOnly(value: unknown, names: ReadonlySet<string>): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  for (const name in value) if (!names.has(name)) return false
  return true
}

/** Sells; a refusal that a line feed has moved to another text is brought back to its own. */
function sold(
  native: NativeTerminal,
  texts: string,
  numbers: Float64Array,
  cart: Cart,
): SoldWords | Promise<SoldWords> {
  try {
    const found = native.sell(texts, numbers) as string | SoldWords | Promise<SoldWords>
    if (typeof found === 'string') return { texts: found, numbers }
    if (!(found instanceof Promise)) return found
    return found.catch((thrown) => {
      throw lineFeedIn(cart) ?? thrown
    })
  } catch (thrown) {
    throw lineFeedIn(cart) ?? thrown
  }
}

function wholeAnswer(native: NativeReceipt): PackedAnswer {
  const { sale, seq, wait, replayed } = native
  return { sale, seq, wait, replayed, receipt: receiptAnswer(native) }
}

/** What is made of a value, now or, as its promise, when it has come. */
function whenKnown<N, T>(value: N | Promise<N>, use: (value: N) => T): T {
  return value instanceof Promise ? (value.then(use) as T) : use(value)
}

function lineFeedIn({ store, currency, reference, key, lines, tenders }: Cart): Error | undefined {
  const texts: [what: string, code: keyof ErrorFacts, value: unknown][] = [
    ['store', 'PK_E_BAD_TEXT', store],
    ['currency', 'PK_E_BAD_CURRENCY', currency],
    ['reference', 'PK_E_BAD_TEXT', reference],
    ['key', 'PK_E_BAD_KEY', key],
  ]
  for (const line of lines) {
    texts.push(['sku', 'PK_E_BAD_TEXT', line.sku], ['text', 'PK_E_BAD_TEXT', line.text])
    texts.push(['quantity', 'PK_E_BAD_QUANTITY', line.quantity])
    texts.push(['unitPrice', 'PK_E_BAD_PRICE', line.unitPrice])
  }
  for (const tender of tenders) {
    texts.push(['kind', 'PK_E_BAD_ARGUMENT', tender.kind])
    texts.push(['reference', 'PK_E_BAD_TEXT', tender.reference])
  }
  for (const [what, code, value] of texts) {
    if (typeof value !== 'string' || !value.includes('\n')) continue
    return posError(code, `${what} holds a control character`, { what, value: shown(value) })
  }
  return undefined
}

function packLine(line: LineInput, numbers: Float64Array, at: number): string {
  let texts = `\n${text('sku', line.sku)}`
  let flags = 0
  if (optionalText('text', line.text) !== undefined) {
    flags |= LINE_HAS_TEXT
    texts += `\n${line.text}`
  }
  const many = quantity(line.quantity)
  if (typeof many === 'string') {
    flags |= LINE_QUANTITY_IS_TEXT
    texts += `\n${many}`
  } else {
    numbers[at + 1] = many
  }
  const price = unitPrice(line.unitPrice)
  if (typeof price === 'string') {
    flags |= LINE_PRICE_IS_TEXT
    texts += `\n${price}`
  } else {
    numbers[at + 2] = price
  }
  if (line.parent !== undefined) {
    flags |= LINE_HAS_PARENT
    texts += `\n${numberOf('parent', line.parent)}`
  }
  numbers[at] = flags
  return texts
}

function packTender(tender: CartTender, numbers: Float64Array, at: number): string {
  numbers[at + 1] = amount('amount', tender.amount)
  const kind = text('kind', tender.kind)
  const reference = optionalText('reference', tender.reference)
  numbers[at] = reference === undefined ? 0 : HAS_REFERENCE
  return reference === undefined ? `\n${kind}` : `\n${kind}\n${reference}`
}

function answer(
  cart: Cart,
  lines: readonly LineInput[],
  tenders: readonly CartTender[],
  numbers: Float64Array,
  texts: string,
): PackedAnswer {
  const number = (index: number) => numbers[index] as number
  const sequence = number(9)
  const replayed = number(11) === 1
  const receipt: { -readonly [Name in keyof ReceiptAnswer]: ReceiptAnswer[Name] } = {
    sale: number(0),
    receiptNumber: number(1),
    circle: number(17) === 1 ? 'training' : 'sale',
    store: cart.store,
    currency: cart.currency,
    lines: lines.map((line, index) => receiptLine(line, index, number(ANSWER_NUMBERS + index))),
    tenders: tenders.map(receiptTender),
    net: number(2),
    tax: 0,
    gross: number(2),
    discount: 0,
    surcharge: 0,
    taxes: [],
    rounding: number(12),
    tendered: number(3),
    tips: 0,
    change: number(4),
    totalSales: number(5),
    totalReturns: number(6),
    at: new Date(number(7)).toISOString(),
    beganAt: new Date(number(8)).toISOString(),
    hash: texts,
    sequence,
    replayed,
  }
  if (number(13) === 1) {
    receipt.perpetual = {
      salesTax: number(14),
      returnsTax: number(15),
      rounding: number(16),
      taxes: [],
    }
  }
  if (texts.includes('\n')) {
    const [hash = '', policy = '', operator = ''] = texts.split('\n')
    receipt.hash = hash
    if (policy !== '') receipt.policy = policy
    if (operator !== '') receipt.operator = operator
  }
  if (cart.reference !== undefined) receipt.reference = cart.reference
  if (cart.key !== undefined) receipt.key = cart.key
  return { sale: receipt.sale, seq: sequence, wait: number(10) === 1, replayed, receipt }
}

// Each shape is written out whole: spreading one object into another costs more than all of it.
function receiptLine(line: LineInput, index: number, amount: number): ReceiptLine {
  const { sku, text } = line
  const quantity = canonical(line.quantity)
  const unitPrice = canonical(line.unitPrice)
  const plain: ReceiptLine =
    text === undefined
      ? { line: index + 1, sku, quantity, unitPrice, amount }
      : { line: index + 1, sku, text, quantity, unitPrice, amount }
  return line.parent === undefined ? plain : { ...plain, parent: line.parent }
}

function receiptTender(taken: CartTender, index: number): ReceiptTender {
  const { kind, amount, reference } = taken
  const tender = index + 1
  return reference === undefined
    ? { tender, kind, amount, state: 'confirmed' }
    : { tender, kind, amount, state: 'confirmed', reference }
}

const CANONICAL = /^(?:0|-?[1-9]\d*|-?(?:0|[1-9]\d*)\.\d*[1-9]\d*|(?:0|[1-9]\d*)\.\d+)$/

/** A decimal as the journal prints it: no zeros in front, no sign on a zero. */
function canonical(decimal: Decimal): string {
  if (typeof decimal === 'number') return decimal === 0 ? '0' : String(decimal)
  if (CANONICAL.test(decimal)) return decimal
  const digits = decimal.replace(/^-/, '').replace(/^0+(?=\d)/, '')
  return decimal.startsWith('-') && /[1-9]/.test(digits) ? `-${digits}` : digits
}
