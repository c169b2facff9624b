// One sale, made from its number alone: the JavaScript twin of native/src/sale.rs.
//
// Sale n has the same bytes in both languages (`node bench/node-peers.mjs sample n` and
// `bench-sale-native sample n`), so figures from Node and from native code speak of the same work.

const PRODUCTS = 512
const LINES = 5
const FIRST_BEGAN_MS = 1_760_000_000_000
const BETWEEN_SALES_MS = 47_000
const BETWEEN_LINES_MS = 2_300
const CASH_STEP_MINOR = 500
const NUMBER_MAX = 99_999_999

const COLOURS = ['WHITE', 'CREAM', 'IVORY', 'GREEN', 'BLACK', 'AMBER', 'CORAL', 'SILVER']
const MATERIALS = ['ENAMEL', 'COTTON', 'WILLOW', 'CERAMIC', 'WOODEN', 'GLASS', 'COPPER', 'LINEN']
const THINGS = [
  'LANTERN',
  'CUSHION',
  'BREAD BIN',
  'TEA TOWEL',
  'JUG',
  'PHOTO FRAME',
  'COAT HOOK',
  'CAKE STAND',
]
const DETAILS = [
  'WITH HANDLE',
  'SET OF 6',
  'LARGE SIZE',
  'GIFT BOXED',
  'VINTAGE STYLE',
  'HAND MADE',
  'SMALL HEART',
  'PACK OF 12',
]

/** Sale `number`. `JSON.stringify` of it gives the canonical bytes: the order of fields is fixed. */
export function nthSale(number) {
  if (!Number.isInteger(number) || number < 0 || number > NUMBER_MAX) {
    throw new RangeError(`a sale has a number from 0 to ${NUMBER_MAX}, not ${number}`)
  }
  const began = FIRST_BEGAN_MS + number * BETWEEN_SALES_MS
  const lines = new Array(LINES)
  let gross = 0
  for (let index = 0; index < LINES; index += 1) {
    const product = CATALOGUE[draw(number, index * 2) % PRODUCTS]
    const quantity = 1 + (draw(number, index * 2 + 1) % 12)
    const amount = quantity * product.unitPrice
    gross += amount
    lines[index] = {
      line: index + 1,
      kind: 'sale',
      sku: product.sku,
      text: product.text,
      quantity,
      unitPrice: product.unitPrice,
      amount,
      voided: false,
      at: began + (index + 1) * BETWEEN_LINES_MS,
    }
  }
  const tendered = Math.ceil(gross / CASH_STEP_MINOR) * CASH_STEP_MINOR
  const at = began + (LINES + 2) * BETWEEN_LINES_MS
  return {
    sale: number,
    terminal: 'T-07',
    reference: `R-${String(number).padStart(8, '0')}`,
    key: keyOf(number),
    store: 'S-0042',
    currency: 'GBP',
    began,
    lines,
    tender: { kind: 'cash', amount: tendered, change: tendered - gross, at },
    gross,
    completed: at + 900,
  }
}

/** The sale with every time set to zero, for stores that stamp times themselves. */
export function withoutTimes(sale) {
  return {
    ...sale,
    began: 0,
    lines: sale.lines.map((line) => ({ ...line, at: 0 })),
    tender: { ...sale.tender, at: 0 },
    completed: 0,
  }
}

function keyOf(number) {
  let digits = ''
  for (let word = 0; word < 4; word += 1) {
    digits += draw(number, 200 + word)
      .toString(16)
      .padStart(8, '0')
  }
  const part = (from, to) => digits.slice(from, to)
  return `${part(0, 8)}-${part(8, 12)}-4${part(13, 16)}-8${part(17, 20)}-${part(20, 32)}`
}

function productOf(index) {
  const words = [
    COLOURS[index & 7],
    MATERIALS[(index >> 3) & 7],
    THINGS[(index >> 6) & 7],
    DETAILS[draw(index, 101) & 7],
  ]
  const letter = String.fromCharCode(65 + (draw(index, 102) % 6))
  return {
    sku: `${20_000 + index * 137}${letter}`,
    text: words.join(' '),
    unitPrice: 29 + (draw(index, 103) % 1_967),
  }
}

/** A 32-bit mix with the same result as in Rust. */
function draw(number, purpose) {
  return mix(Math.imul(number, 0x9e3779b1) ^ mix(purpose + 1))
}

function mix(given) {
  let value = given
  value ^= value >>> 16
  value = Math.imul(value, 0x7feb352d)
  value ^= value >>> 15
  value = Math.imul(value, 0x846ca68b)
  return (value ^ (value >>> 16)) >>> 0
}

const CATALOGUE = Array.from({ length: PRODUCTS }, (_, index) => productOf(index))
