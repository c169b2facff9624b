/** The scenes of `examples` as a user runs them: each says itself whether what it shows holds. */
import { spawn } from 'node:child_process'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { browserProgram } from '../../ts/host/launcher/browser.js'
import { ended, projectRoot } from '../support/child.js'

async function scene(t: ExecutionContext, name: string, ...args: readonly string[]) {
  t.timeout(300_000)
  const program = path.join(projectRoot, 'examples', name)
  const { code, stdout, stderr } = await ended(spawn(process.execPath, [program, ...args]))
  t.log(stdout)
  t.deepEqual({ code, stderr }, { code: 0, stderr: '' }, stdout)
  return stdout
}

test('closing time: tills that sell are shut down, two are killed, and the totals are those of the data', async (t) => {
  const told = await scene(t, 'closing-time.mjs')
  t.regex(told, /acknowledged by 8 of 8\n/)
  t.regex(told, /2 killed meanwhile: .* 0 stragglers/)
  t.regex(told, /the next morning: 2 terminals recovered/)
})

test('closing time says which numbers it takes', async (t) => {
  const program = path.join(projectRoot, 'examples/closing-time.mjs')
  const { code, stderr } = await ended(spawn(process.execPath, [program, '--kills', '9']))
  t.is(code, 2)
  t.regex(stderr, /--kills is 9; it is a whole number from 0 to 8\n/)
})

const isolation = 'isolation: five apps, a crash and two limits'
if (hasBrowser()) {
  test(isolation, async (t) => {
    const told = await scene(t, 'host/isolation.mjs')
    t.regex(told, /1 \+ 1 in page-b is 2\n/)
    t.regex(told, /node-full wanted 200 MB of its 100 and ended: oom\n/)
  })
} else {
  test.skip(`${isolation} (SKIPPED: no Chromium here; install chromium, or name it in POS_KERNEL_CHROMIUM)`, () => {})
}

function hasBrowser(): boolean {
  try {
    browserProgram()
    return true
  } catch {
    return false
  }
}
