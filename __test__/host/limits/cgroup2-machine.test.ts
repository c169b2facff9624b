/**
 * Control groups of version 2 on a machine that has none: the same tests, in a Linux of Debian's package
 * `user-mode-linux`, which boots as a process in seconds and finds Node and this package through the host's file system.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { openCgroup2 } from '../../../ts/host/limits/cgroup2.js'
import { Users } from '../../../ts/host/limits/users.js'

const kernel = '/usr/bin/linux.uml'
const root = path.resolve(fileURLToPath(new URL('../../..', import.meta.url)))
const bootMs = 150_000

const title = 'limits by cgroup version 2, in a machine of their own'
const lacking = lackingHere()

/** Why it cannot be done here; undefined when it can. */
function lackingHere(): string | undefined {
  const means = openCgroup2('try')
  if (typeof means !== 'string') {
    means.close()
    return 'this machine has version 2 itself; limits.test.ts runs on it'
  }
  if (!existsSync(kernel)) return `${kernel} is missing: apt-get install user-mode-linux`
  return Users.canChange ? undefined : 'only root may mount in that machine'
}

if (lacking !== undefined) test.skip(`${title} (skipped: ${lacking})`, () => undefined)
else
  test.serial(title, async (t) => {
    t.timeout(bootMs + 30_000)
    const folder = mkdtempSync(path.join(os.tmpdir(), 'pk-machine-'))
    t.teardown(() => rmSync(folder, { recursive: true, force: true }))
    const out = path.join(folder, 'out')
    const init = path.join(folder, 'init.sh')
    writeFileSync(init, script(out), { mode: 0o755 })
    const args = [
      'mem=1024M',
      `root=${path.join('/dev', 'root')}`,
      'rootfstype=hostfs',
      'rootflags=/',
      'rw',
      'quiet',
    ]
    await new Promise<void>((resolve, reject) => {
      const more = [`init=${init}`, 'con=null', 'con0=null,fd:1']
      execFile(kernel, [...args, ...more], { timeout: bootMs, killSignal: 'SIGKILL' }, (error) =>
        error === null || existsSync(out) ? resolve() : reject(error),
      )
    })
    const said = readFileSync(out, 'utf8')
    const points = said.split('\n').filter((line) => /^(?:not )?ok \d+ /.test(line))
    const failed = points.filter((line) => line.startsWith('not ok'))
    t.deepEqual(failed, [], said)
    const done = points.filter((line) => /cgroup2: /.test(line) && !/# SKIP/i.test(line))
    for (const line of said.split('\n').filter((one) => /peak|Landlock/.test(one)))
      t.log(line.trim())
    t.is(done.length, 8, said)
  })

function script(out: string): string {
  return `#!/bin/sh
export PATH='${path.dirname(process.execPath)}:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' HOME=/
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
cd '${root}' || exit
'${process.execPath}' node_modules/ava/entrypoints/cli.mjs --tap --match='cgroup2: *' __test__/host/limits/limits.test.ts > '${out}' 2>&1
poweroff -f
`
}
