/** An app of the tests of launchers: does what its first argument says. */
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const [behaviour, ...rest] = process.argv.slice(2)
const bootstrap = JSON.parse(readFileSync(Number(process.env.POS_KERNEL_HOST_FD), 'utf8'))
const say = (value) =>
  writeFileSync(path.join(bootstrap.dataFolder, 'said.json'), JSON.stringify(value))
const stay = () => setInterval(() => undefined, 1000)

const behaviours = {
  idle() {
    say({ pid: process.pid, bootstrap, env: process.env, cwd: process.cwd() })
    stay()
  },
  exit() {
    process.exit(Number(rest[0]))
  },
  throw() {
    throw new Error('nobody catches this')
  },
  /** Children and grandchildren, each in a session of its own, so that no signal to a group reaches them. */
  parent() {
    const script = 'sleep 600 & exec sleep 600'
    const children = [1, 2, 3].map(() => {
      const child = spawn('/bin/sh', ['-c', script], { detached: true, stdio: 'ignore' })
      child.unref()
      return child.pid
    })
    say({ pid: process.pid, children })
    stay()
  },
  /** Leaves children behind and ends. */
  litter() {
    behaviours.parent()
    process.exit(0)
  },
  deaf() {
    process.on('SIGTERM', () => undefined)
    process.on('SIGINT', () => undefined)
    say({ pid: process.pid })
    stay()
  },
  flood() {
    const line = `${'x'.repeat(1023)}\n`
    for (let count = Number(rest[0]); count > 0; count -= 1) process.stdout.write(line)
    process.stdout.write('the last word\n', () => {
      process.stderr.write('and a complaint\n', () => process.exit(0))
    })
  },
}

await behaviours[behaviour]()
