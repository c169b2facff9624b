/**
 * Files of the system that are read often. Node's own `readFile` takes a new buffer of 64 KiB for each of them, since they
 * do not say how long they are; here all are read into one, and what is read again and again stays open.
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'

/** The system gives a page at a time, as far as it goes with whole lines: less than this is all there is. */
const partBytesMin = 2048

const buffer = Buffer.allocUnsafe(64 * 1024)

/** A file that is opened once and read from its beginning each time. It stays that file, even when another gets its name. */
export class Gauge {
  readonly #path: string
  readonly #descriptor: number

  private constructor(path: string, descriptor: number) {
    this.#path = path
    this.#descriptor = descriptor
  }

  /** Opens it; undefined when it cannot be. */
  static open(path: string): Gauge | undefined {
    try {
      return new Gauge(path, openSync(path, 'r'))
    } catch {
      return undefined
    }
  }

  /** Its text now; undefined when what it told of is gone. */
  read(): string | undefined {
    try {
      return contentOf(this.#descriptor) ?? readFileSync(this.#path, 'latin1')
    } catch {
      return undefined
    }
  }

  /** Lets it go. Call it once. */
  close(): void {
    closeSync(this.#descriptor)
  }
}

/** Gauges by the paths of their files, opened when they are first read. */
export class Gauges {
  readonly #open = new Map<string, Gauge>()

  /** A file's text now; undefined when it cannot be read. */
  read(path: string): string | undefined {
    let gauge = this.#open.get(path)
    if (gauge === undefined) {
      gauge = Gauge.open(path)
      if (gauge === undefined) return undefined
      this.#open.set(path, gauge)
    }
    return gauge.read()
  }

  /** Lets all go; what is read after that is opened again. */
  close(): void {
    for (const gauge of this.#open.values()) gauge.close()
    this.#open.clear()
  }
}

/** A file's text, read once; undefined when it cannot be read. */
export function textOf(path: string): string | undefined {
  let descriptor: number | undefined
  try {
    descriptor = openSync(path, 'r')
    return contentOf(descriptor) ?? readFileSync(path, 'latin1')
  } catch {
    return undefined
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

/** The whole text, which the system gives in one piece; undefined when it does not fit. */
function contentOf(descriptor: number): string | undefined {
  let length = 0
  for (;;) {
    const more = readSync(descriptor, buffer, length, buffer.length - length, length)
    length += more
    if (more < partBytesMin) return buffer.toString('latin1', 0, length)
    if (length === buffer.length) return undefined
  }
}
