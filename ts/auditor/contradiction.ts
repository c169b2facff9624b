/**
 * A fact that cannot be read, or does not fit the facts before it. It is thrown where it is found
 * and caught where the frame is known; nothing behind it in its segment can be judged.
 */
export class Contradiction extends Error {
  /** Number of the invariant in `docs/reference/invariants.md`, where one is broken. */
  readonly invariant: string | undefined

  constructor(message: string, invariant?: string) {
    super(message)
    this.invariant = invariant
  }
}

/** A record that a newer version of the kernel wrote: the journal cannot be judged by this one. */
export class NewerVersion extends Error {}

/** Holds a sentence to be true. */
export function hold(isTrue: boolean, invariant: string | undefined, message: string): void {
  if (!isTrue) throw new Contradiction(message, invariant)
}
