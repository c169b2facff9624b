/** `pos-kernel store serve`, as it is started and stopped on a command line. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { connectTerminal, verifyStore } from '../../ts/index.js'
import { ended, jsonLines, posKernel, projectRoot } from '../support/child.js'
import { coffees, tempStore } from '../support/store.js'

/** Starts the command and gives it once it has said that it serves. */
async function serving(t: ExecutionContext, args: readonly string[]) {
  const main = path.join(projectRoot, 'dist/cli/main.js')
  const child = spawn(process.execPath, [main, 'store', 'serve', '--json', ...args])
  t.teardown(() => child.kill('SIGKILL'))
  const [first] = await once(child.stdout, 'data')
  return { child, said: JSON.parse(String(first)) }
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`it serves until ${signal}, and closes its terminals`, async (t) => {
    const root = tempStore(t)
    const { child, said } = await serving(t, ['--root', root, '--terminals', 'T2,T1'])
    const socket = path.join(root, 'service/service.sock')
    t.deepEqual(said, { state: 'serving', root, socket, terminals: ['T1', 'T2'], pid: child.pid })
    const terminal = await connectTerminal({ root, id: 'T1' })
    t.like(await terminal.sell(coffees), { receiptNumber: 1 })
    await terminal.close()
    child.kill(signal)
    const { code, stdout } = await ended(child)
    t.is(code, 0)
    t.deepEqual(jsonLines(stdout), [{ state: 'stopped', root }])
    const { ok } = await verifyStore({ root })
    t.true(ok)
    // Now it serves what the store has.
    const again = await serving(t, ['--root', root])
    t.deepEqual(again.said.terminals, ['T1', 'T2'])
    const next = await connectTerminal({ root, id: 'T2' })
    t.true(next.recovery.clean)
    await next.close()
  })
}

test('wrong usage and stores that cannot be served', async (t) => {
  const root = tempStore(t)
  const failed = async (...args: string[]) => {
    const { code, stdout } = await posKernel(['store', 'serve', '--json', '--root', root, ...args])
    return [code, JSON.parse(stdout).code]
  }
  t.deepEqual(await failed(), [1, 'PK_E_NOT_FOUND'])
  t.deepEqual(await failed('--any', '--terminals', 'T1'), [2, 'PK_E_BAD_ARGUMENT'])
  t.deepEqual(await failed('--any', '--allow-uid', 'anna'), [2, 'PK_E_BAD_ARGUMENT'])
  t.deepEqual(await failed('--terminals', 'not an id'), [2, 'PK_E_BAD_ID'])
  t.deepEqual(await failed('--any', '--socket', `/tmp/${'d'.repeat(120)}`), [2, 'PK_E_LIMIT'])
  const help = await posKernel(['store', 'serve', '--help'])
  t.is(help.code, 0)
  t.regex(help.stdout, /--allow-uid/)
})
