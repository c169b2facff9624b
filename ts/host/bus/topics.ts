/**
 * Who hears what. A topic is heard by those who named it, and by those who named a beginning of it with `*` after.
 */

/** Bytes of a topic at most: with the sender's name before it, it has to fit the name of a frame. */
export const topicBytesMax = 180

/** True when one of the patterns, as a manifest has them, covers the topic or the pattern `topic`. */
export function isPermitted(patterns: readonly string[], topic: string): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith('*') ? topic.startsWith(pattern.slice(0, -1)) : topic === pattern,
  )
}

/** The subscriptions of all peers. */
export class Topics<Peer> {
  readonly #exact = new Map<string, Set<Peer>>()
  readonly #beginnings = new Map<string, Set<Peer>>()
  /** Lengths that beginnings have, so that a topic is cut at those alone. */
  #lengths: readonly number[] = []

  /** `peer` hears `pattern` from now on. */
  add(pattern: string, peer: Peer): void {
    const [table, key] = this.#place(pattern)
    const peers = table.get(key)
    if (peers !== undefined) peers.add(peer)
    else {
      table.set(key, new Set([peer]))
      this.#measure()
    }
  }

  /** `peer` does not hear `pattern` any more. */
  remove(pattern: string, peer: Peer): void {
    const [table, key] = this.#place(pattern)
    const peers = table.get(key)
    peers?.delete(peer)
    if (peers?.size !== 0) return
    table.delete(key)
    this.#measure()
  }

  /** All who hear `topic`, each once. */
  hearers(topic: string): Iterable<Peer> {
    const exact = this.#exact.get(topic)
    if (this.#lengths.length === 0) return exact ?? []
    const all = new Set(exact)
    for (const length of this.#lengths) {
      if (length > topic.length) break
      const found = this.#beginnings.get(topic.slice(0, length))
      if (found !== undefined) for (const peer of found) all.add(peer)
    }
    return all
  }

  #place(pattern: string): [Map<string, Set<Peer>>, string] {
    return pattern.endsWith('*') ? [this.#beginnings, pattern.slice(0, -1)] : [this.#exact, pattern]
  }

  #measure(): void {
    const lengths = [...this.#beginnings.keys()].map((key) => key.length)
    this.#lengths = [...new Set(lengths)].sort((a, b) => a - b)
  }
}
