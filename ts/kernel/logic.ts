/**
 * The logic minimiser: a table of rules in, the smallest table with the same meaning that it finds
 * out. It knows nothing of sales.
 *
 * A run is on a thread of its own, never on the event loop; as many run at once as the machine has
 * processors, the others wait in order. Read `docs/guide/logic.md` first.
 */
import { availableParallelism } from 'node:os'
import {
  binding,
  bindingPath,
  type NativeCancel,
  type NativeIsolation,
  type NativeMinimized,
  type NativeMinimizeOptions,
} from '../native.js'
import { isPosError, posError, toPosError } from './errors.js'
import { checkNames, wrong } from './input.js'
import {
  LogicCover,
  type LogicLayout,
  type LogicTable,
  type WrittenTable,
  writeTable,
} from './logic-table.js'

/** How much work goes into an answer. */
export type MinimizeMode = 'fast' | 'normal' | 'strong' | 'exact'

/** Which sets the rows of a PLA list: `f` where it is 1, `d` where it may be either, `r` where it is 0. */
export type PlaType = 'f' | 'r' | 'd' | 'fd' | 'fr' | 'dr' | 'fdr'

/** How to minimise, while the calling thread waits. */
export interface MinimizeSyncOptions {
  /**
   * `fast`: one pass. `normal`, the default: the full loop. `strong`: many more rounds. `exact`: the
   * minimum where it can be proved in time, else the best found and a bound; set a time limit.
   */
  readonly mode?: MinimizeMode | undefined
  /** Milliseconds after which the run ends with the best answer it has. None when left out. */
  readonly timeLimitMs?: number | undefined
  /** Bytes that covers and recursions may take; 1 GiB when left out. */
  readonly memoryLimitBytes?: number | undefined
  /** Threads that one run may use; 1 when left out. The answer has the same bytes for any number. */
  readonly threads?: number | undefined
  /** Sets that {@link Minimized.pla} lists; `f` when left out. */
  readonly write?: 'f' | 'fd' | 'fr' | 'fdr' | undefined
}

/** How to minimise. */
export interface MinimizeOptions extends MinimizeSyncOptions {
  /** Ends the run within milliseconds; the promise then rejects with the reason of the signal. */
  readonly signal?: AbortSignal | undefined
  /** Told before each step of the run; an isolated run tells nothing. */
  readonly onProgress?: ((progress: MinimizeProgress) => void) | undefined
  /**
   * Runs in a worker process, with hard limits: one that crashes, hangs or is killed costs this
   * process an error, and the next run is served. False when left out.
   */
  readonly isolated?: boolean | Isolation | undefined
}

/** What an isolated run may take before its worker is ended, whatever the worker does. */
export interface Isolation {
  /** Milliseconds from the start of the run to its answer; a minute when left out. */
  readonly wallLimitMs?: number | undefined
  /** Milliseconds of CPU of all its threads, in steps of a second; none when left out. Unix. */
  readonly cpuLimitMs?: number | undefined
  /** Bytes that the run may take besides the question; 4 GiB when left out. Linux. */
  readonly memoryLimitBytes?: number | undefined
}

/** What a run is about to do. */
export type MinimizePhase = 'complement' | 'expand' | 'loop' | 'pool' | 'primes' | 'verify'

/** How far a run has come. */
export interface MinimizeProgress {
  /** What comes next. */
  readonly phase: MinimizePhase
  /** Products of the cover that the run stands at: the listed rows at first. */
  readonly products: number
}

/** Literals of a cover, as the classic program counts them. */
export interface Literals {
  /** Of binary inputs: zeros and ones. */
  readonly in: number
  /** Ones in the fields of multi-valued inputs. */
  readonly mv: number
  /** Ones in the output columns. */
  readonly out: number
}

/** The shape of a function, with nothing left out but names. */
export interface MinimizedLayout extends LogicLayout {
  /** Number of binary inputs. */
  readonly binary: number
  /** For each multi-valued input, how many values it has. */
  readonly valued: readonly number[]
}

/** A minimised function. */
export interface Minimized {
  /** Inputs and outputs, with their names. */
  readonly layout: MinimizedLayout
  /** Which sets the rows of the question list. */
  readonly type: PlaType
  /** The products: together they hold wherever the function is 1, and nowhere where it is 0. */
  readonly f: LogicCover
  /** Where the function may be either; absent when that is whatever the others leave. */
  readonly d?: LogicCover
  /** Where the function is 0; absent when that has too many rows to be listed. */
  readonly r?: LogicCover
  /** Rows of the question where the function is 1. */
  readonly productsIn: number
  /** Rows of {@link Minimized.f}. */
  readonly productsOut: number
  /** Literals of the question. */
  readonly literalsIn: Literals
  /** Literals of {@link Minimized.f}. */
  readonly literalsOut: Literals
  /** No table with this meaning has fewer products. */
  readonly lowerBound: number
  /** This is a minimum: as many products as {@link Minimized.lowerBound}. */
  readonly proved: boolean
  /** A limit ended the run before it had settled. */
  readonly stoppedEarly: boolean
  /** The answer was compared with the question, and {@link Minimized.pla} reads as the answer. */
  readonly verified: boolean
  /** Wall time from reading to writing. */
  readonly seconds: number
  /** The answer as PLA text, with the names of the question. */
  readonly pla: string
  /** What is odd about the question and harmless, such as a `.p` that does not match. */
  readonly notes: readonly string[]
}

const syncNames = new Set(['mode', 'timeLimitMs', 'memoryLimitBytes', 'threads', 'write'])
const asyncNames = new Set([...syncNames, 'signal', 'onProgress', 'isolated'])
const isolationNames = new Set(['wallLimitMs', 'cpuLimitMs', 'memoryLimitBytes'])
const modes = ['fast', 'normal', 'strong', 'exact'] as const
const writes = ['f', 'fd', 'fr', 'fdr'] as const
const THREADS_MAX = 64

/**
 * Minimises a logic function, off the event loop. The answer is equivalent to the question, or there
 * is none.
 *
 * @param table - a PLA as text or as the bytes of its file, or a typed table
 * @param options - mode, limits, signal, progress
 * @throws {@link InputError} `PK_E_BAD_PLA` with line and column, or with the rows that contradict
 *   each other; `PK_E_BAD_ARGUMENT`, `PK_E_BAD_TEXT`, `PK_E_LIMIT` (256 MiB of text)
 * @throws {@link SaleStateError} `PK_E_NO_ANSWER` when a limit strikes before there is any answer, or
 *   the worker of an isolated run is lost
 * @throws {@link StorageError} `PK_E_IO` when a worker cannot be started
 * @throws the reason of the signal, once it is aborted
 * @example
 * const { f, productsOut, proved } = await minimize('.i 2\n.o 1\n01 1\n11 1\n.e\n')
 * console.log(productsOut, proved) // 1 true
 * @example
 * const answer = await minimize(
 *   { layout: { binary: 1, valued: [3], outputs: 1 }, f: [{ inputs: '1', values: [[0, 2]], outputs: [0] }] },
 *   { mode: 'exact', timeLimitMs: 10_000, signal: AbortSignal.timeout(60_000) },
 * )
 */
export async function minimize(
  table: string | Uint8Array | LogicTable,
  options: MinimizeOptions = {},
): Promise<Minimized> {
  const signal = options?.signal
  let written: WrittenTable | undefined
  try {
    checkNames('options', options, asyncNames)
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      throw wrong('signal', signal, 'an AbortSignal')
    }
    const native = nativeOptions(options)
    const isolated = isolationOf(options)
    if (isolated !== undefined) native.isolated = isolated
    const tell = listenerOf(options.onProgress)
    const turns = isolated === undefined ? here : inWorkers
    signal?.throwIfAborted()
    written = isText(table) ? undefined : writeTable(table)
    const question = written?.text ?? (table as string | Uint8Array)
    return minimizedOf(
      await turns.take(signal, (cancel) => binding().minimize(question, native, cancel, tell)),
    )
  } catch (thrown) {
    if (signal instanceof AbortSignal) signal.throwIfAborted()
    throw named(thrown, written)
  }
}

/**
 * As {@link minimize}, while the calling thread waits. There is no signal that could end it: give a
 * time limit.
 *
 * @param table - a PLA as text or as the bytes of its file, or a typed table
 * @param options - mode and limits
 * @throws {@link InputError} as {@link minimize}
 * @throws {@link SaleStateError} as {@link minimize}
 * @example
 * const { pla } = minimizeSync('.i 2\n.o 1\n01 1\n11 1\n.e\n', { mode: 'fast' })
 */
export function minimizeSync(
  table: string | Uint8Array | LogicTable,
  options: MinimizeSyncOptions = {},
): Minimized {
  let written: WrittenTable | undefined
  try {
    checkNames('options', options, syncNames)
    const native = nativeOptions(options)
    written = isText(table) ? undefined : writeTable(table)
    const question = written?.text ?? (table as string | Uint8Array)
    return minimizedOf(binding().minimizeSync(question, native))
  } catch (thrown) {
    throw named(thrown, written)
  }
}

/** Turns of runs: so many at once, the others in order. */
class Turns {
  /** Runs that are under way. It also keeps their handles: a handle that is collected ends its run. */
  readonly #running = new Set<NativeCancel>()
  /** Those who wait for a turn, in order. */
  readonly #waiting: (() => void)[] = []
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }

  /** Waits for a turn, runs, and lets the next one have its turn. */
  async take<T>(
    signal: AbortSignal | undefined,
    run: (cancel: NativeCancel) => Promise<T>,
  ): Promise<T> {
    const cancel = new (binding().NativeCancel)()
    const abort = () => cancel.cancel()
    signal?.addEventListener('abort', abort, { once: true })
    try {
      // Whoever is let in may find that another came first: the count is looked at again.
      while (this.#running.size >= this.#max) {
        signal?.throwIfAborted()
        await this.#place(signal)
      }
      signal?.throwIfAborted()
      this.#running.add(cancel)
      return await run(cancel)
    } finally {
      this.#running.delete(cancel)
      signal?.removeEventListener('abort', abort)
      this.#waiting[0]?.()
    }
  }

  /** A place in the queue, until it is called or the signal is aborted. */
  #place(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const leave = () => {
        signal?.removeEventListener('abort', leave)
        this.#waiting.splice(this.#waiting.indexOf(leave), 1)
        resolve()
      }
      signal?.addEventListener('abort', leave, { once: true })
      this.#waiting.push(leave)
    })
  }
}

/** Worker processes at most: each is a whole process that stays. */
const WORKERS_MAX = 4
const workers = Math.min(availableParallelism(), WORKERS_MAX)
const here = new Turns(availableParallelism())
const inWorkers = new Turns(workers)

/** A worker is this program, with nothing but the binding loaded. */
const WORKER_CODE = 'process.exit(require(process.argv[1]).isolatedWorker())'

function isolationOf({ isolated, onProgress }: MinimizeOptions): NativeIsolation | undefined {
  if (isolated === undefined || isolated === false) return undefined
  if (onProgress !== undefined) {
    throw wrong('onProgress', onProgress, 'nothing: an isolated run tells no progress')
  }
  const limits = isolated === true ? {} : isolated
  checkNames('isolated', limits, isolationNames)
  const { wallLimitMs, cpuLimitMs, memoryLimitBytes } = limits
  return {
    program: process.execPath,
    arguments: ['--eval', WORKER_CODE, bindingPath()],
    workers,
    ...(wallLimitMs !== undefined && { wallLimitMs: within('wallLimitMs', wallLimitMs, 1) }),
    ...(cpuLimitMs !== undefined && { cpuLimitMs: within('cpuLimitMs', cpuLimitMs, 1) }),
    ...(memoryLimitBytes !== undefined && {
      memoryLimitBytes: within('memoryLimitBytes', memoryLimitBytes, 1),
    }),
  }
}

function isText(table: unknown): table is string | Uint8Array {
  return typeof table === 'string' || table instanceof Uint8Array
}

function nativeOptions(options: MinimizeSyncOptions): NativeMinimizeOptions {
  const { mode = 'normal', timeLimitMs, memoryLimitBytes, threads = 1, write = 'f' } = options
  return {
    mode: oneOf('mode', mode, modes),
    threads: within('threads', threads, 1, THREADS_MAX),
    write: oneOf('write', write, writes),
    ...(timeLimitMs !== undefined && { timeLimitMs: within('timeLimitMs', timeLimitMs, 1) }),
    ...(memoryLimitBytes !== undefined && {
      memoryLimitBytes: within('memoryLimitBytes', memoryLimitBytes, 1),
    }),
  }
}

function oneOf<T extends string>(what: string, value: unknown, allowed: readonly T[]): T {
  const found = allowed.find((known) => known === value)
  if (found !== undefined) return found
  throw wrong(what, value, `one of ${allowed.map((known) => `"${known}"`).join(', ')}`)
}

function within(what: string, value: unknown, least: number, most?: number): number {
  const isWhole = typeof value === 'number' && Number.isSafeInteger(value)
  if (isWhole && value >= least && value <= (most ?? value)) return value
  const range = most === undefined ? `from ${least}` : `from ${least} to ${most}`
  throw wrong(what, value, `a whole number ${range}`)
}

function listenerOf(onProgress: unknown) {
  if (onProgress === undefined) return undefined
  if (typeof onProgress !== 'function') throw wrong('onProgress', onProgress, 'a function')
  return (phase: string, products: number) => {
    onProgress({ phase: phase as MinimizePhase, products } satisfies MinimizeProgress)
  }
}

/** The error that the caller sees; of a typed table it names rows, not lines of a text nobody wrote. */
function named(thrown: unknown, written: WrittenTable | undefined): unknown {
  const error = toPosError(thrown)
  if (written === undefined || !isPosError(error, 'PK_E_BAD_PLA')) return error
  const { line, otherLine } = error.facts
  const row = line === undefined ? undefined : written.rowOf(line)
  const otherRow = otherLine === undefined ? undefined : written.rowOf(otherLine)
  if (row === undefined) return error
  const message =
    otherRow === undefined
      ? `row ${row} of the table cannot be used: ${error.message}`
      : `rows ${otherRow} and ${row} of the table say the opposite of a point that they share`
  return posError(
    'PK_E_BAD_PLA',
    message,
    { row, ...(otherRow !== undefined && { otherRow }) },
    thrown,
  )
}

function minimizedOf(native: NativeMinimized): Minimized {
  const { binary, valued, outputs, f, d, r, kind, literalsIn, literalsOut, pla, notes } = native
  const cover = (rows: Buffer) => new LogicCover(rows, binary, valued, outputs)
  const { inputNames, valueNames, outputNames } = native
  return {
    layout: {
      binary,
      valued,
      outputs,
      ...(inputNames.length > 0 && { inputNames }),
      ...(valueNames.some((of) => of.length > 0) && { valueNames }),
      ...(outputNames.length > 0 && { outputNames }),
    },
    type: kind as PlaType,
    f: cover(f),
    ...(d !== undefined && { d: cover(d) }),
    ...(r !== undefined && { r: cover(r) }),
    productsIn: native.productsIn,
    productsOut: native.productsOut,
    literalsIn: literalsOf(literalsIn),
    literalsOut: literalsOf(literalsOut),
    lowerBound: native.lowerBound,
    proved: native.proved,
    stoppedEarly: native.stoppedEarly,
    verified: native.verified,
    seconds: native.seconds,
    pla,
    notes,
  }
}

function literalsOf(native: NativeMinimized['literalsIn']): Literals {
  return { in: native.inputs, mv: native.valued, out: native.outputs }
}
