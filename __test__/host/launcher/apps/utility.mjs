/** An app of the tests of Electron's launcher: does what the first argument says once it was told who it is. */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'

const [behaviour, code] = process.argv.slice(2)
const stay = () => setInterval(() => undefined, 1000)

const behaviours = {
  idle(say) {
    say({ env: process.env, cwd: process.cwd() })
    stay()
  },
  exit() {
    process.exit(Number(code))
  },
  abort() {
    process.abort()
  },
  /** Children and grandchildren, each in a session of its own, so that no signal to a group reaches them. */
  parent(say) {
    const children = [1, 2, 3].map(() => {
      const options = { detached: true, stdio: 'ignore' }
      const child = spawn('/bin/sh', ['-c', 'sleep 600 & exec sleep 600'], options)
      child.unref()
      return child.pid
    })
    say({ children })
    stay()
  },
  /** Leaves children behind and ends. */
  litter(say) {
    behaviours.parent(say)
    process.exit(0)
  },
  flood() {
    const line = `${'x'.repeat(1023)}\n`
    for (let count = Number(code); count > 0; count -= 1) process.stdout.write(line)
    process.stdout.write('the last word\n', () => {
      process.stderr.write('and a complaint\n', () => process.exit(0))
    })
  },
}

process.parentPort.once('message', ({ data }) => {
  const bootstrap = data['pos-kernel-bootstrap']
  const say = (more) =>
    writeFileSync(
      path.join(bootstrap.dataFolder, 'said.json'),
      JSON.stringify({ pid: process.pid, bootstrap, ...more }),
    )
  behaviours[behaviour](say)
})
