/** Kernel services of tests, each a process of its own: a client that waits on its thread stops its own. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { ExecutionContext } from 'ava'
import type { ServeOptions } from '../../ts/index.js'
import { startProgram } from './child.js'

/** What a test sets of a service besides its options. */
export interface ServedTest {
  readonly testWallNs?: string
  readonly connections?: number
  readonly requests?: number
  readonly unreadBytesMax?: number
  readonly helloMs?: number
  readonly frameMs?: number
}

/** A service that runs. */
export interface Served {
  readonly process: ChildProcess
  readonly pid: number
  readonly socket: string
  /** Stops it in order. */
  stop(): Promise<void>
  /** Kills it. */
  kill(): Promise<void>
}

/** Starts a service; it is gone when the test is over. */
export async function served(
  t: ExecutionContext,
  options: ServeOptions,
  test: ServedTest = {},
): Promise<Served> {
  const args = [JSON.stringify(options), JSON.stringify(test)]
  const child = startProgram('serve.mjs', args)
  const gone = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await gone
  })
  child.stderr?.pipe(process.stderr, { end: false })
  const [line] = await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), gone])
  const said = JSON.parse(String(line))
  if (said?.socket === undefined) throw new Error(`the service did not start: ${line}`)
  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    await gone
  }
  return {
    process: child,
    pid: said.pid,
    socket: said.socket,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  }
}
