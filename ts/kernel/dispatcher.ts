/**
 * A bank of terminals that share the work, such as the self-checkouts of a shop: each new sale goes to
 * the terminal that has the least to do, and a terminal can be drained before somebody works on it.
 *
 * A sale stays where it began, and a call with a key goes where that key is known: to make a call again
 * never makes a second sale. What a terminal refuses because it can take no new work, another one
 * takes; what may have happened is never tried elsewhere.
 */
import type { ReceiptAnswer } from './answers.js'
import type { ErrorCode } from './codes.js'
import { isPosError, posError } from './errors.js'
import { checkNames, wrong } from './input.js'
import type { Sale } from './sale.js'
import type { BeginInput, Cart } from './sale-input.js'
import type { Terminal } from './terminal.js'

/**
 * How a terminal of a bank stands. `ready` takes new sales. `draining` takes none and has open ones,
 * `drained` has none. `failed` refused work that was not at fault; {@link Dispatcher.restore} tries it
 * again, with the terminal opened anew where that is what it needs.
 */
export type BankState = 'ready' | 'draining' | 'drained' | 'failed'

/** What a terminal of a bank has to do. */
export interface BankLoad {
  /** Terminal id. */
  readonly id: string
  /** How it stands. */
  readonly state: BankState
  /** Open sales, those of other hosts and suspended ones included. */
  readonly openSales: number
  /** Calls of this dispatcher that it has not answered yet. */
  readonly inFlight: number
}

/** How long a drain may take. */
export interface DrainOptions {
  /** Milliseconds after which it answers with what is still open; without one it waits. */
  readonly deadlineMs?: number | undefined
}

/** What a drain came to. */
export interface DrainAnswer {
  /** Nothing is open and nothing under way: the terminal can be closed. */
  readonly isDrained: boolean
  /** Numbers of the sales that are still open. */
  readonly openSales: readonly number[]
}

interface Member {
  terminal: Terminal
  state: BankState
  inFlight: number
  /** When it was given its last sale: of equals, the one that waited longest is next. */
  turn: number
}

/** A terminal that answers so takes no new work, and has done nothing of what was asked. */
const unable: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'PK_E_SHUTTING_DOWN',
  'PK_E_CLOSED',
  'PK_E_POISONED',
  'PK_E_NO_SPACE',
  'PK_E_SHIFT_CLOSED',
  'PK_E_NOT_SIGNED_ON',
])
const drainNames = new Set(['deadlineMs'])
/** Keys that a bank remembers, newest first; the terminals themselves remember theirs. */
const keysMax = 65_536
/** How often a terminal that drains is looked at. */
const lookMs = 20

/** Spreads new sales over terminals. Made by {@link createDispatcher}. */
export class Dispatcher {
  readonly #members = new Map<string, Member>()
  /** Where calls with a key went, the newest last. */
  readonly #went = new Map<string, string>()
  #turns = 0

  /** @internal */
  constructor(terminals: Iterable<Terminal>) {
    for (const terminal of terminals) this.add(terminal)
  }

  /**
   * Adds a terminal, ready for new sales.
   *
   * @throws {@link InputError} `PK_E_BAD_ARGUMENT` when the bank has one of this id
   * @example
   * bank.add(await openTerminal({ root: './store', id: 'SELF_05' }))
   */
  add(terminal: Terminal): void {
    if (this.#members.has(terminal.id)) {
      throw wrong('terminal', terminal.id, 'a terminal that the bank does not have yet')
    }
    this.#members.set(terminal.id, { terminal, state: 'ready', inFlight: 0, turn: 0 })
  }

  /**
   * What each terminal has to do.
   *
   * @example
   * for (const { id, state, openSales } of bank.loads()) console.log(id, state, openSales)
   */
  loads(): readonly BankLoad[] {
    return [...this.#members.values()].map((member) => ({
      id: member.terminal.id,
      state: member.state,
      openSales: openSalesOf(member).length,
      inFlight: member.inFlight,
    }))
  }

  /**
   * Begins a sale on the terminal that has the least to do, or where its key is known.
   *
   * Durable as {@link Terminal.begin}.
   *
   * @throws {@link SaleStateError} `PK_E_NO_TERMINAL`, and those of {@link Terminal.begin}
   * @example
   * const sale = await bank.begin({ store: 'corner-shop', currency: 'EUR' })
   */
  begin(input: BeginInput): Promise<Sale> {
    return this.#give(input.key, (terminal) => terminal.begin(input))
  }

  /**
   * Rings up a whole sale on the terminal that has the least to do, or where its key is known.
   *
   * Durable when the promise resolves.
   *
   * @throws {@link SaleStateError} `PK_E_NO_TERMINAL`, and those of {@link Terminal.sell}
   * @example
   * const receipt = await bank.sell({
   *   store: 'corner-shop',
   *   currency: 'EUR',
   *   lines: [{ sku: 'coffee', quantity: 2, unitPrice: 320 }],
   *   tenders: [{ kind: 'cash', amount: 1000 }],
   *   key: 'order-4711',
   * })
   */
  sell(cart: Cart): Promise<ReceiptAnswer> {
    return this.#give(cart.key, (terminal) => terminal.sell(cart))
  }

  /**
   * Gives a terminal no new sales and waits until its open ones are over. Suspended sales do not hold it
   * up: they go on at any terminal.
   *
   * @throws {@link InputError} `PK_E_BAD_ARGUMENT` for a terminal that the bank does not have
   * @example
   * const { isDrained, openSales } = await bank.drain('SELF_02', { deadlineMs: 60_000 })
   * if (!isDrained) console.log('still open:', openSales)
   */
  async drain(id: string, options: DrainOptions = {}): Promise<DrainAnswer> {
    checkNames('options', options, drainNames)
    const { deadlineMs } = options
    if (deadlineMs !== undefined && !(Number.isSafeInteger(deadlineMs) && deadlineMs >= 0)) {
      throw wrong('deadlineMs', deadlineMs, 'a whole number of milliseconds')
    }
    const member = this.#member(id)
    member.state = 'draining'
    const until =
      deadlineMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + deadlineMs
    for (;;) {
      const openSales = openSalesOf(member)
      const isDrained = openSales.length === 0 && member.inFlight === 0
      if (isDrained && member.state === 'draining') member.state = 'drained'
      // Somebody restored it meanwhile, or it failed: what is asked for cannot come any more.
      const isOver = isDrained || member.state !== 'draining' || performance.now() >= until
      if (isOver) return { isDrained, openSales }
      await new Promise((resolve) => setTimeout(resolve, lookMs))
    }
  }

  /**
   * Gives a terminal new sales again; `terminal` takes its place when it was opened anew.
   *
   * @throws {@link InputError} `PK_E_BAD_ARGUMENT` for a terminal that the bank does not have
   * @example
   * bank.restore(await openTerminal({ root: './store', id: 'SELF_02' }))
   */
  restore(terminal: Terminal | string): void {
    const member = this.#member(typeof terminal === 'string' ? terminal : terminal.id)
    if (typeof terminal !== 'string') member.terminal = terminal
    member.state = 'ready'
  }

  /**
   * Takes a terminal out of the bank. A call that went there is refused from then on, with its key, until
   * the terminal is added again.
   *
   * @throws {@link InputError} `PK_E_BAD_ARGUMENT` for a terminal that the bank does not have
   * @example
   * await bank.drain('SELF_02')
   * await bank.remove('SELF_02').close()
   */
  remove(id: string): Terminal {
    const { terminal } = this.#member(id)
    this.#members.delete(id)
    return terminal
  }

  async #give<T>(key: string | undefined, call: (terminal: Terminal) => Promise<T>): Promise<T> {
    for (;;) {
      const known = key === undefined ? undefined : this.#whereKnown(key)
      const member = known ?? this.#least()
      const { id } = member.terminal
      if (key !== undefined) this.#remember(key, id)
      member.inFlight += 1
      this.#turns += 1
      member.turn = this.#turns
      try {
        return await call(member.terminal)
      } catch (error) {
        const isUnknown = isPosError(error, 'PK_E_OUTCOME_UNKNOWN')
        if (isUnknown && member.state === 'ready') member.state = 'failed'
        // Only what is known to have made nothing may be tried elsewhere.
        if (key !== undefined && known === undefined && !isUnknown) this.#went.delete(key)
        if (known !== undefined || !isPosError(error) || !unable.has(error.code)) throw error
        if (member.state === 'ready') member.state = 'failed'
      } finally {
        member.inFlight -= 1
      }
    }
  }

  /** The terminal where a call with a key went, by this bank or before it. */
  #whereKnown(key: string): Member | undefined {
    const went = this.#went.get(key)
    if (went !== undefined) {
      const member = this.#members.get(went)
      if (member !== undefined) return member
      throw unknowable(key, went, 'it was taken out of the bank; open it and add it again')
    }
    return [...this.#members.values()].find(({ terminal }) => {
      try {
        return terminal.knowsKey(key)
      } catch (error) {
        if (!isPosError(error, 'PK_E_CLOSED')) throw error
        throw unknowable(key, terminal.id, 'it is closed; restore it or take it out of the bank')
      }
    })
  }

  #remember(key: string, id: string): void {
    this.#went.delete(key)
    this.#went.set(key, id)
    const [oldest] = this.#went.keys()
    if (this.#went.size > keysMax && oldest !== undefined) this.#went.delete(oldest)
  }

  #least(): Member {
    const ready = [...this.#members.values()].filter(({ state }) => state === 'ready')
    const loads = new Map(ready.map((member) => [member, loadOf(member)]))
    const least = ready.reduce<Member | undefined>((best, member) => {
      if (best === undefined) return member
      const [a, b] = [loads.get(member) ?? 0, loads.get(best) ?? 0]
      return a < b || (a === b && member.turn < best.turn) ? member : best
    }, undefined)
    if (least !== undefined) return least
    const terminals = Object.fromEntries(
      [...this.#members.values()].map(({ terminal, state }) => [terminal.id, state]),
    )
    const message = 'no terminal of the bank takes new sales; restore one or add another'
    throw posError('PK_E_NO_TERMINAL', message, { terminals })
  }

  #member(id: string): Member {
    const member = this.#members.get(id)
    if (member === undefined) throw wrong('terminal', id, 'a terminal of the bank')
    return member
  }
}

/**
 * Makes a bank of open terminals.
 *
 * @throws {@link InputError} `PK_E_BAD_ARGUMENT` when two have the same id
 * @example
 * const bank = createDispatcher([
 *   await openTerminal({ root: './store', id: 'SELF_01' }),
 *   await openTerminal({ root: './store', id: 'SELF_02' }),
 * ])
 */
export function createDispatcher(terminals: Iterable<Terminal>): Dispatcher {
  return new Dispatcher(terminals)
}

/** Open sales that hold a terminal up; none of one that is closed. */
function openSalesOf({ terminal }: Member): number[] {
  try {
    const sales = terminal.openSales().filter((sale) => sale.summary().state !== 'suspended')
    return sales.map((sale) => sale.id)
  } catch (error) {
    if (isPosError(error)) return []
    throw error
  }
}

function loadOf(member: Member): number {
  return openSalesOf(member).length + member.inFlight
}

/** A call is not made where it may be the second one. */
function unknowable(key: string, id: string, why: string): Error {
  const message = `terminal ${id} may have done the call ${key} already, and ${why}`
  return posError('PK_E_OUTCOME_UNKNOWN', message, { operation: 'dispatch' })
}
