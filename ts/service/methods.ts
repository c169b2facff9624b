/**
 * The methods of a terminal that a client of a kernel service may call: the names and the arguments of
 * the native terminal, and nothing that opens, closes or waits.
 *
 * Each says how the service runs it, and when a call may be sent twice: a read may, and so may a call
 * with an idempotency key, for the second one gets the first one's answer.
 */
import type { NativeTerminal } from '../native.js'

/**
 * How a method is run: `fact` answers at once and is durable later, `away` makes a fact off the event
 * loop, `ask` only touches memory, `read` reads the disk.
 */
export type Way = 'fact' | 'away' | 'ask' | 'read'

/** A method that clients may call. */
export interface Method {
  /** How it is run. */
  readonly way: Way
  /** The argument that is its idempotency key, or has it as its `key`. */
  readonly key?: number
  /** It makes a fact or changes something, so without a key it is not sent twice. */
  readonly isChange: boolean
}

const fact = (key?: number): Method => ({ way: 'fact', isChange: true, ...keyed(key) })
const away = (key?: number): Method => ({ way: 'away', isChange: true, ...keyed(key) })
const ask: Method = { way: 'ask', isChange: false }
const read: Method = { way: 'read', isChange: false }

function keyed(key: number | undefined) {
  return key === undefined ? {} : { key }
}

/** A change that answers without a sequence. */
const change: Method = { way: 'read', isChange: true }

/** What a service keeps to itself, what has a form of its own (`sell`), and the twins that wait. */
type Kept = 'close' | 'durableSequence' | 'flush' | 'hold' | 'release' | 'sell' | `${string}Sync`

/** The methods by name. A method that is new in the native terminal has to be judged here. */
export const methods = {
  begin: fact(3),
  addLine: fact(2),
  setQuantity: fact(4),
  voidLine: fact(3),
  voidLinked: fact(3),
  overridePrice: fact(4),
  overrideTaxes: fact(4),
  adjustLine: fact(4),
  adjustSale: fact(3),
  retract: fact(3),
  tender: fact(2),
  confirmTender: fact(3),
  declineTender: fact(3),
  voidTender: fact(3),
  complete: fact(1),
  voidSale: fact(2),
  sellCart: fact(0),
  expire: fact(),
  setPolicy: fact(1),
  setRules: fact(1),
  signOn: fact(1),
  signOff: fact(1),
  approve: fact(2),
  setTraining: fact(2),
  openShift: fact(1),
  closeShift: fact(0),
  paidIn: fact(2),
  paidOut: fact(2),
  noSale: fact(1),
  cashCount: fact(1),
  periodClose: fact(1),
  beginReturn: away(2),
  returnLine: away(2),
  suspend: away(2),
  resume: away(1),
  reprint: away(3),
  sendCash: away(3),
  receiveCash: away(2),
  xReport: away(0),
  zReport: away(0),
  closeSale: { way: 'ask', isChange: true },
  totals: ask,
  lines: ask,
  tenders: ask,
  openSales: ask,
  counters: ask,
  knowsKey: ask,
  status: ask,
  stats: ask,
  recovery: ask,
  policy: ask,
  rules: ask,
  shift: ask,
  signing: ask,
  receipt: read,
  suspendedSales: read,
  cashInTransit: read,
  nextUnsigned: read,
  unsigned: read,
  signature: read,
  collectTransfers: change,
  signerUp: change,
  signerDown: change,
  attachSignature: change,
  signLate: change,
  rotateKey: change,
  anchor: change,
  archive: change,
  send: change,
  broadcast: change,
  receive: read,
  accept: change,
  giveUp: change,
  beginDrain: change,
  drain: ask,
  suspendOpen: change,
  announceShutdown: change,
  setSystemConfig: change,
  applySystemConfig: change,
  systemConfig: ask,
} as const satisfies Record<Exclude<keyof NativeTerminal, Kept>, Method>

/** The name of a method that clients may call. */
export type MethodName = keyof typeof methods

/** The method of a name, where clients may call it. */
export function methodOf(name: unknown): Method | undefined {
  if (typeof name !== 'string' || !Object.hasOwn(methods, name)) return undefined
  return methods[name as MethodName]
}

/** Whether sending a call twice changes nothing. */
export function mayRepeat({ isChange, key }: Method, args: readonly unknown[]): boolean {
  if (!isChange) return true
  if (key === undefined) return false
  const given = args[key]
  if (typeof given === 'string') return true
  return typeof given === 'object' && given !== null && 'key' in given && given.key !== undefined
}
