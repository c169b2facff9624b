/** A renderer that has the number of one that is gone is held like any other. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, writeFileSync } from 'node:fs'
import test from 'ava'
import { Renderers } from '../../../ts/host/launcher/renderers.js'

const MiB = 1024 * 1024
/** Where the last number that was given out may be set. */
const lastNumber = '/proc/sys/kernel/ns_last_pid'

function mayChooseNumbers(): boolean {
  try {
    accessSync(lastNumber, constants.W_OK)
    return process.getuid?.() === 0
  } catch {
    return false
  }
}

/** A process that looks like a renderer. */
async function renderer(): Promise<ChildProcess> {
  const args = ['-c', 'sleep 600; exit', '--type=renderer']
  const child = spawn('/bin/sh', args, { stdio: 'ignore', detached: true })
  await once(child, 'spawn')
  return child
}

async function end(child: ChildProcess): Promise<void> {
  process.kill(-(child.pid as number), 'SIGKILL')
  await once(child, 'exit')
}

/** One with the number of another that is gone; others on this machine take numbers too. */
async function rendererWith(pid: number): Promise<ChildProcess | undefined> {
  for (let attempt = 0; attempt < 500; attempt++) {
    writeFileSync(lastNumber, String(pid - 1))
    const child = await renderer()
    if (child.pid === pid) return child
    await end(child)
  }
  return undefined
}

if (mayChooseNumbers()) {
  test.serial('a renderer with a number that was used before is held anew', async (t) => {
    let pids: number[] = []
    const renderers = new Renderers(() => pids, 64 * MiB, undefined)
    const first = await renderer()
    pids = [first.pid as number]
    await renderers.look()
    t.deepEqual(renderers.counts, { held: 1, refused: 0 })
    await end(first)
    const second = await rendererWith(first.pid as number)
    if (second === undefined) {
      t.log('skipped: another process of this machine took the number')
      return
    }
    t.teardown(() => end(second))
    await renderers.look()
    t.deepEqual(renderers.counts, { held: 2, refused: 0 })
  })
} else {
  test.skip(`a renderer with a number that was used before is held anew (skipped: ${lastNumber} cannot be set)`, () =>
    undefined)
}
