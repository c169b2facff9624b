/**
 * A whole sale in one crossing, as one text and one array of numbers.
 *
 * Reading and making objects through N-API costs more than the sale itself, so `sell` packs its
 * cart, and the receipt is made here from the cart and the numbers that come back. The layout stands
 * in `crates/node/src/packed.rs`; each terminal has an array of its own, used within one call.
 */
import type { NativeTerminal } from '../native.js'
import type { ReceiptAnswer } from './answers.js'
import type { NativeAnswer } from './crossing.js'
import { posError } from './errors.js'
import type { ErrorFacts } from './facts.js'
import { checkNames, list, numberOf, optionalText, shown, text } from './input.js'
import { amount, type Decimal, quantity, unitPrice } from './money.js'
import type { ReceiptLine, ReceiptTender } from './receipt.js'
import type { LineInput } from './sale-input.js'
import { type Cart, type CartTender, cartNames, cartTenderNames, lineNames } from './sale-input.js'

const HAS_REFERENCE = 1
const HAS_KEY = 2
const LINE_HAS_TEXT = 1
const LINE_QUANTITY_IS_TEXT = 2
const LINE_PRICE_IS_TEXT = 4
const LINE_HAS_PARENT = 8
const ANSWER_NUMBERS = 12
const FIRST_NUMBERS = 256

/** A receipt and what the border needs to know of it. */
export interface PackedAnswer extends NativeAnswer {
  readonly sale: number
  readonly receipt: ReceiptAnswer
}

export class SalePacker {
  #numbers = new Float64Array(FIRST_NUMBERS)

  /** Checks a cart, sells it and makes its receipt. */
  sell(native: NativeTerminal, cart: Cart): PackedAnswer {
    checkNames('cart', cart, cartNames)
    const lines = list('lines', cart.lines) as readonly LineInput[]
    const tenders = list('tenders', cart.tenders) as readonly CartTender[]
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
    return answer(cart, lines, tenders, numbers, sold(native, texts, numbers, cart))
  }

  #room(count: number): Float64Array {
    if (this.#numbers.length < count) this.#numbers = new Float64Array(count * 2)
    return this.#numbers
  }
}

/** Sells; a refusal that a line feed has moved to another text is brought back to its own. */
function sold(native: NativeTerminal, texts: string, numbers: Float64Array, cart: Cart): string {
  try {
    return native.sell(texts, numbers)
  } catch (thrown) {
    throw lineFeedIn(cart) ?? thrown
  }
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
  checkNames('line', line, lineNames)
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
  checkNames('tender', tender, cartTenderNames)
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
  hash: string,
): PackedAnswer {
  const number = (index: number) => numbers[index] as number
  const sequence = number(9)
  const replayed = number(11) === 1
  const receipt: { -readonly [Name in keyof ReceiptAnswer]: ReceiptAnswer[Name] } = {
    sale: number(0),
    receiptNumber: number(1),
    store: cart.store,
    currency: cart.currency,
    lines: lines.map((line, index) => receiptLine(line, index, number(ANSWER_NUMBERS + index))),
    tenders: tenders.map(receiptTender),
    gross: number(2),
    tendered: number(3),
    change: number(4),
    totalSales: number(5),
    totalReturns: number(6),
    at: new Date(number(7)).toISOString(),
    beganAt: new Date(number(8)).toISOString(),
    hash,
    sequence,
    replayed,
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
