/**
 * The operations of a script: one JSON object a line, checked here once.
 *
 * Only shapes are checked: which fields there are and of what type. Whether an amount, a quantity or
 * a text may be what it is, the kernel decides, so that a script and a program are refused alike.
 */
import { z } from 'zod'
import { posError } from '../../kernel/errors.js'

const text = z.string()
const number = z.number()
const decimal = z.union([z.number(), z.string()], { error: 'give an integer or a decimal string' })
const sale = number.optional()
const key = text.optional()
const reference = text.optional()
const kind = z.enum(['cash', 'card'])

const line = z.strictObject({
  sku: text,
  text: text.optional(),
  quantity: decimal,
  unitPrice: decimal,
  parent: number.optional(),
})

const tender = z.strictObject({ kind, amount: number, reference })

const operations = {
  begin: z.strictObject({ op: z.literal('begin'), store: text, currency: text, reference, key }),
  addLine: line.extend({ op: z.literal('addLine'), sale, key }),
  setQuantity: z.strictObject({
    op: z.literal('setQuantity'),
    sale,
    line: number,
    quantity: decimal,
    reason: text,
    key,
  }),
  voidLine: z.strictObject({
    op: z.literal('voidLine'),
    sale,
    line: number,
    reason: text,
    linked: z.boolean().optional(),
    key,
  }),
  tender: tender.extend({ op: z.literal('tender'), sale, pending: z.boolean().optional(), key }),
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
    reason: text,
    key,
  }),
  voidTender: z.strictObject({
    op: z.literal('voidTender'),
    sale,
    tender: number,
    reason: text,
    key,
  }),
  totals: z.strictObject({ op: z.literal('totals'), sale }),
  complete: z.strictObject({ op: z.literal('complete'), sale, key }),
  void: z.strictObject({ op: z.literal('void'), sale, reason: text, key }),
  close: z.strictObject({ op: z.literal('close'), sale }),
  sell: z.strictObject({
    op: z.literal('sell'),
    store: text,
    currency: text,
    reference,
    lines: z.array(line),
    tenders: z.array(tender),
    key,
  }),
  receipt: z.strictObject({ op: z.literal('receipt'), receiptNumber: number }),
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
