/** Several terminals of one store, in one process or in many. */
import type { ExecutionContext } from 'ava'
import { type Message, openTerminal, type Terminal } from '../../ts/index.js'
import { tempStore } from '../support/store.js'

/** Terminals of a store of their own, closed when the test is over. */
export async function terminalsOf(
  t: ExecutionContext,
  ...ids: readonly string[]
): Promise<readonly Terminal[]> {
  const root = tempStore(t)
  const terminals: Terminal[] = []
  for (const id of ids) terminals.push(await openTerminal({ root, id }))
  t.teardown(() => Promise.all(terminals.map((terminal) => terminal.close())))
  return terminals
}

/** Messages as they come, and a wait for so many of them. */
export class Heard {
  readonly messages: Message[] = []
  #wake: () => void = () => {}

  /** The handler. */
  readonly on = (message: Message): void => {
    this.messages.push(message)
    this.#wake()
  }

  /** Resolves once so many have come. */
  async count(wanted: number): Promise<readonly Message[]> {
    while (this.messages.length < wanted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.messages
  }
}
