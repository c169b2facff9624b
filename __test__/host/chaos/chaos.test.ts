import { spawn } from 'node:child_process'
import path from 'node:path'
import test from 'ava'
import { ended, projectRoot } from '../../support/child.js'

const isLong = process.env.POS_KERNEL_FAULT === 'long'

test.serial(
  'no kill of apps, terminals, broker or supervisor loses or doubles a sale or a message',
  async (t) => {
    t.timeout(isLong ? 4 * 3_600_000 : 180_000)
    const script = path.join(projectRoot, 'bench/host/chaos.mjs')
    const kills = isLong ? '10000' : '30'
    const run = spawn(process.execPath, [script, '--kills', kills, '--json'], { stdio: 'pipe' })
    const { stdout, stderr } = await ended(run)
    t.is(stderr, '')
    const result = JSON.parse(stdout.split('\n').at(-2) ?? '')
    t.log(result)
    t.true(result.sales > 0 && result.messages > 0 && result.calls.answered > 0)
    const { faults, who, calls } = result
    t.deepEqual({ faults, who, wrong: calls.wrong }, { faults: [], who: [], wrong: 0 })
  },
)
