/**
 * Facts of coordination, and what they add up to: how far a terminal has received from each other one,
 * and which system configuration is in force. See "Coordination" in `docs/reference/records.md`.
 */
import { hold } from './contradiction.js'
import { operator } from './shared-maps.js'
import { hash, i64, list, map, named, optional, required, text, u64 } from './values.js'

const configuration = {
  version: required(0, u64),
  effectiveNs: required(1, i64),
  hash: required(2, hash),
}

/** The kinds of these facts. */
export const coordinationFacts = {
  110: named('MessageSent', {
    id: required(0, text),
    to: optional(1, text),
    kind: required(2, text),
    hash: required(3, hash),
  }),
  111: named('MessageReceived', {
    id: required(0, text),
    from: required(1, text),
    number: required(2, u64),
    kind: required(3, text),
    hash: required(4, hash),
  }),
  112: named('ConfigurationSet', { ...configuration, operator }),
  113: named('ConfigurationApplied', configuration),
  114: named('DrainBegun', {
    reason: required(0, text),
    untilNs: required(1, i64),
    by: optional(2, text),
  }),
}

/** What coordination adds up to, in a checkpoint. */
export const checkpointCoordination = map({
  senders: list(0, map({ sender: required(0, text), number: required(1, u64) })),
  version: optional(1, u64),
  hash: optional(2, hash),
})

/** A fact of coordination. */
export type CoordinationFact = ReturnType<
  (typeof coordinationFacts)[keyof typeof coordinationFacts]
>
/** What coordination adds up to, in a checkpoint. */
export type CoordinationBody = ReturnType<typeof checkpointCoordination>

const names = new Set(
  'MessageSent MessageReceived ConfigurationSet ConfigurationApplied DrainBegun'.split(' '),
)
const sendersMax = 256

/** True for the facts of this page. */
export function isCoordinationFact(fact: { readonly name: string }): fact is CoordinationFact {
  return names.has(fact.name)
}

/** What a terminal knows of the others. */
export class Others {
  readonly #received: Map<string, bigint>
  #config: { readonly version: bigint; readonly hash: string } | undefined

  constructor(body: CoordinationBody | undefined) {
    const senders = body?.senders ?? []
    this.#received = new Map(senders.map(({ sender, number }) => [sender, number]))
    hold(this.#received.size === senders.length, 'I16', 'a sender stands twice')
    hold(senders.length <= sendersMax, 'I16', `${senders.length} senders`)
    const isWhole = (body?.version === undefined) === (body?.hash === undefined)
    hold(isWhole, 'I16', 'a configuration has half a name')
    if (body?.version === undefined || body.hash === undefined) return
    this.#config = { version: body.version, hash: body.hash.toString('hex') }
  }

  /** All of it as a text, to compare. */
  shown(): string {
    const senders = [...this.#received].sort(([a], [b]) => (a < b ? -1 : 1))
    const { version, hash } = this.#config ?? {}
    return `${senders.map(([sender, number]) => `${sender} ${number}`).join()};${version} ${hash}`
  }

  /** Folds in a fact. */
  apply(fact: CoordinationFact): void {
    switch (fact.name) {
      case 'MessageReceived': {
        const { from, number } = fact
        const highest = this.#received.get(from) ?? 0n
        hold(number > highest, 'I13', `message ${number} of ${from} after ${highest}`)
        this.#received.set(from, number)
        hold(this.#received.size <= sendersMax, 'I16', `${this.#received.size} senders`)
        return
      }
      case 'ConfigurationApplied': {
        const before = this.#config?.version ?? 0n
        hold(fact.version > before, 'I16', `configuration ${fact.version} after ${before}`)
        this.#config = { version: fact.version, hash: fact.hash.toString('hex') }
        return
      }
      // What was said to others, and what ends with the owner, is no state.
      case 'MessageSent':
      case 'ConfigurationSet':
      case 'DrainBegun':
    }
  }
}
