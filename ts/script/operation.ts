/**
 * The operations of a script: one JSON object a line, checked here once.
 *
 * Only shapes are checked: which fields there are and of what type. Whether an amount, a quantity or
 * a text may be what it is, the kernel decides, so that a script and a program are refused alike.
 */
import { z } from 'zod'
import { posError } from '../kernel/errors.js'

const text = z.string()
const number = z.number()
const decimal = z.union([z.number(), z.string()], { error: 'give an integer or a decimal string' })
const sale = number.optional()
const key = text.optional()
const reference = text.optional()
const flag = z.boolean().optional()
const reason = text
const approval = number.optional()
const means = z.enum(['cash', 'card', 'voucher', 'foreign', 'other'])
const rounding = z.enum(['halfUp', 'halfEven', 'up', 'down'])

const circle = z.enum(['sale', 'training']).optional()
const cash = { currency: text.optional(), amount: number }

const worth = { amount: number.optional(), percent: decimal.optional() }
const adjustment = z.strictObject({ ...worth, reason })
const adjustments = z.union([adjustment, z.array(adjustment)]).optional()
const tax = z.strictObject({ rate: decimal, class: text.optional(), inclusive: flag })

/** What rules may ask of a line or a tender; what each may be, the API checks. */
const attributes = z.record(text, z.union([z.boolean(), number, text, z.array(text)])).optional()

const line = z.strictObject({
  kind: z.enum(['item', 'surcharge', 'deposit', 'tip']).optional(),
  sku: text,
  text: text.optional(),
  quantity: decimal,
  unitPrice: decimal,
  perQuantity: decimal.optional(),
  taxes: z.array(tax).optional(),
  discount: adjustments,
  surcharge: adjustments,
  parent: number.optional(),
  approval,
  class: text.optional(),
  attributes,
})

const tender = z.strictObject({
  kind: means,
  amount: number,
  tip: number.optional(),
  currency: text.optional(),
  rate: decimal.optional(),
  per: number.optional(),
  reference,
  approval,
  attributes,
})

/** A discount or a surcharge on a line or on the sale. */
const onLine = { sale, line: number, ...worth, reason, approval, key }
const onSale = { sale, ...worth, reason, approval, key }

const operations = {
  setPolicy: z.strictObject({
    op: z.literal('setPolicy'),
    currency: text,
    minorDigits: number.optional(),
    prices: z.enum(['net', 'gross']),
    taxScope: z.enum(['perRate', 'perLine', 'perUnit']),
    taxRounding: rounding,
    grossSplit: z.enum(['taxFirst', 'netFirst']).optional(),
    amountRounding: rounding.optional(),
    cashStep: number.optional(),
    cashRounding: z.enum(['halfUp', 'halfDown', 'up', 'down']).optional(),
    changeFrom: z.array(means).optional(),
    mixedReturns: flag,
    unboundReturns: z.enum(['allow', 'approve', 'refuse']).optional(),
    key,
  }),
  policy: z.strictObject({ op: z.literal('policy'), currency: text }),
  setRules: z.strictObject({
    op: z.literal('setRules'),
    tables: z.array(
      z.union([
        text,
        z.strictObject({ file: text }),
        z.looseObject({ rows: z.array(z.unknown()) }),
      ]),
    ),
    key,
  }),
  rules: z.strictObject({ op: z.literal('rules') }),
  begin: z.strictObject({
    op: z.literal('begin'),
    store: text,
    currency: text.optional(),
    reference,
    key,
  }),
  addLine: line.extend({ op: z.literal('addLine'), sale, key }),
  setQuantity: z.strictObject({
    op: z.literal('setQuantity'),
    sale,
    line: number,
    quantity: decimal,
    reason,
    approval,
    key,
  }),
  voidLine: z.strictObject({
    op: z.literal('voidLine'),
    sale,
    line: number,
    reason,
    linked: flag,
    approval,
    key,
  }),
  overridePrice: z.strictObject({
    op: z.literal('overridePrice'),
    sale,
    line: number,
    unitPrice: decimal,
    perQuantity: decimal.optional(),
    reason,
    approval,
    key,
  }),
  overrideTaxes: z.strictObject({
    op: z.literal('overrideTaxes'),
    sale,
    line: number,
    taxes: z.array(tax),
    reason,
    approval,
    key,
  }),
  discountLine: z.strictObject({ op: z.literal('discountLine'), ...onLine }),
  surchargeLine: z.strictObject({ op: z.literal('surchargeLine'), ...onLine }),
  discountSale: z.strictObject({ op: z.literal('discountSale'), ...onSale }),
  surchargeSale: z.strictObject({ op: z.literal('surchargeSale'), ...onSale }),
  retract: z.strictObject({ op: z.literal('retract'), sale, number, reason, approval, key }),
  tender: tender.extend({ op: z.literal('tender'), sale, pending: flag, key }),
  confirmTender: z.strictObject({
    op: z.literal('confirmTender'),
    sale,
    tender: number,
    auth: text.optional(),
    key,
  }),
  declineTender: z.strictObject({
    op: z.literal('declineTender'),
    sale,
    tender: number,
    reason,
    approval,
    key,
  }),
  voidTender: z.strictObject({
    op: z.literal('voidTender'),
    sale,
    tender: number,
    reason,
    approval,
    key,
  }),
  beginReturn: z.strictObject({
    op: z.literal('beginReturn'),
    terminal: text.optional(),
    receiptNumber: number,
    key,
  }),
  returnLine: z.strictObject({
    op: z.literal('returnLine'),
    sale,
    of: number,
    quantity: decimal,
    terminal: text.optional(),
    receiptNumber: number.optional(),
    reason,
    approval,
    key,
  }),
  suspend: z.strictObject({ op: z.literal('suspend'), sale, reason, key }),
  resume: z.strictObject({ op: z.literal('resume'), ticket: text, key }),
  suspendedSales: z.strictObject({ op: z.literal('suspendedSales') }),
  collectTransfers: z.strictObject({ op: z.literal('collectTransfers') }),
  signOn: z.strictObject({ op: z.literal('signOn'), operator: text, key }),
  signOff: z.strictObject({ op: z.literal('signOff'), operator: text, key }),
  approve: z.strictObject({ op: z.literal('approve'), operator: text, what: text, key }),
  training: z.strictObject({ op: z.literal('training'), on: z.boolean(), approval, key }),
  openShift: z.strictObject({
    op: z.literal('openShift'),
    float: z.union([number, z.array(z.strictObject({ currency: text, amount: number }))]),
    key,
  }),
  closeShift: z.strictObject({ op: z.literal('closeShift'), key }),
  shift: z.strictObject({ op: z.literal('shift') }),
  paidIn: z.strictObject({ op: z.literal('paidIn'), ...cash, reason, approval, key }),
  paidOut: z.strictObject({ op: z.literal('paidOut'), ...cash, reason, approval, key }),
  sendCash: z.strictObject({ op: z.literal('sendCash'), to: text, ...cash, reason, approval, key }),
  receiveCash: z.strictObject({
    op: z.literal('receiveCash'),
    ticket: text,
    reason,
    approval,
    key,
  }),
  cashInTransit: z.strictObject({ op: z.literal('cashInTransit') }),
  noSale: z.strictObject({ op: z.literal('noSale'), reason, approval, key }),
  cashCount: z.strictObject({ op: z.literal('cashCount'), ...cash, key }),
  xReport: z.strictObject({ op: z.literal('xReport'), key }),
  zReport: z.strictObject({ op: z.literal('zReport'), key }),
  periodClose: z.strictObject({
    op: z.literal('periodClose'),
    kind: z.enum(['day', 'month', 'year']),
    key,
  }),
  reprint: z.strictObject({
    op: z.literal('reprint'),
    receiptNumber: number,
    circle,
    approval,
    key,
  }),
  expire: z.strictObject({ op: z.literal('expire'), idleMs: number, reason }),
  totals: z.strictObject({ op: z.literal('totals'), sale }),
  complete: z.strictObject({ op: z.literal('complete'), sale, key }),
  void: z.strictObject({ op: z.literal('void'), sale, reason, approval, key }),
  close: z.strictObject({ op: z.literal('close'), sale }),
  sell: z.strictObject({
    op: z.literal('sell'),
    store: text,
    currency: text.optional(),
    reference,
    lines: z.array(line),
    discount: adjustments,
    surcharge: adjustments,
    tenders: z.array(tender),
    key,
  }),
  receipt: z.strictObject({ op: z.literal('receipt'), receiptNumber: number, circle }),
  openSales: z.strictObject({ op: z.literal('openSales') }),
  counters: z.strictObject({ op: z.literal('counters') }),
  status: z.strictObject({ op: z.literal('status') }),
  setClock: z.strictObject({ op: z.literal('setClock'), wall: text }),
} as const

/** The name of an operation. */
export type OperationName = keyof typeof operations

/** An operation whose fields are there and of the right types. */
export type Operation = {
  [Name in OperationName]: z.infer<(typeof operations)[Name]>
}[OperationName]

/**
 * Reads a line of a script as JSON.
 *
 * @throws {@link InputError} `PK_E_BAD_ARGUMENT` that names the line
 */
export function parseLine(source: string, lineNumber: number): unknown {
  try {
    return JSON.parse(source)
  } catch (error) {
    const found = error instanceof Error ? clipped(error.message, 160) : 'it cannot be read'
    throw refusal(`line ${lineNumber} is not JSON: ${found}`, { line: lineNumber })
  }
}

/** The name that a line gives to its operation, known or not. */
export function nameOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('op' in value)) return undefined
  return typeof value.op === 'string' ? clipped(value.op) : undefined
}

/**
 * The operation of a line.
 *
 * @throws {@link InputError} `PK_E_BAD_ARGUMENT` that names the line and the field
 */
export function operationOf(value: unknown, lineNumber: number): Operation {
  const op = nameOf(value)
  if (op === undefined || !Object.hasOwn(operations, op)) {
    const found = op === undefined ? 'has no operation' : `has the unknown operation "${op}"`
    const allowed = Object.keys(operations)
    throw refusal(`line ${lineNumber} ${found}; "op" is one of ${allowed.join(', ')}`, {
      argument: 'op',
      line: lineNumber,
      ...(op !== undefined && { value: op }),
      allowed,
    })
  }
  const parsed = operations[op as OperationName].safeParse(value)
  if (parsed.success) return parsed.data
  throw malformed(parsed.error, op, lineNumber)
}

function malformed(error: z.ZodError, op: string, lineNumber: number): Error {
  // A misspelt field is also a missing one: what was written says more than what was not.
  const unknown = error.issues.find(({ code }) => code === 'unrecognized_keys')
  const issue = unknown ?? error.issues[0]
  const extra = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined
  const path = [...(issue?.path ?? []), ...(extra === undefined ? [] : [extra])]
  const argument = clipped(path.join('.') || 'line')
  const found =
    extra === undefined ? `"${argument}": ${issue?.message}` : `${op} has no field "${argument}"`
  return refusal(`line ${lineNumber}: ${found}`, { argument, line: lineNumber })
}

function refusal(
  message: string,
  facts: { argument?: string; line: number; value?: string; allowed?: string[] },
): Error {
  return posError('PK_E_BAD_ARGUMENT', message, facts)
}

function clipped(text: string, length = 40): string {
  return text.length > length ? `${text.slice(0, length)}...` : text
}
