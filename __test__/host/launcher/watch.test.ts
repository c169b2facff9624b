/** What the binding asks of the system for the host: the end of any process, its data limit, who is at a socket. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { identityOf, type ProcessIdentity } from '../../../ts/host/launcher/identity.js'
import { watchProcess } from '../../../ts/host/launcher/watch.js'
import { binding } from '../../../ts/native.js'

const isLinux = process.platform === 'linux'
const onLinux = isLinux ? test : test.skip

/** A process that sleeps until the test is over. */
async function sleeper(t: ExecutionContext, options = {}) {
  const child: ChildProcess = spawn('/bin/sleep', ['600'], { stdio: 'ignore', ...options })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child, 'spawn')
  return { child, identity: identityOf(child.pid as number) as ProcessIdentity }
}

onLinux('the end of a process is told, and of another one not', async (t) => {
  const [one, two] = [await sleeper(t), await sleeper(t)]
  const ends: string[] = []
  const watches = [watchProcess(one.identity), watchProcess(two.identity)]
  t.teardown(() => watches[1]?.close())
  watches[1]?.gone.then(() => ends.push('two'))
  one.child.kill('SIGKILL')
  await watches[0]?.gone
  t.deepEqual(ends, [])
  t.is(identityOf(one.identity.pid), undefined)
})

onLinux('a process that is gone, or is another by now, is told at once', async (t) => {
  const { child, identity } = await sleeper(t)
  await watchProcess({ ...identity, startTime: identity.startTime + 1 }).gone
  child.kill('SIGKILL')
  await once(child, 'exit')
  await watchProcess(identity).gone
  t.is(
    binding().watchProcess(identity.pid, identity.startTime, () => t.fail()),
    null,
  )
})

onLinux('a watch that was given up is not told', async (t) => {
  const { child, identity } = await sleeper(t)
  const watch = watchProcess(identity)
  const other = watchProcess(identity)
  watch.gone.then(() => t.fail('it was told'))
  watch.close()
  child.kill('SIGKILL')
  await other.gone
  t.pass()
})

onLinux(
  'the data limit of a running process is set, of another user too, up to the most',
  async (t) => {
    const limitOf = (pid: number) =>
      /^Max data size\s+(\S+)\s+(\S+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))?.slice(1)
    const users = process.getuid?.() === 0 ? [{}, { uid: 65_534, gid: 65_534 }] : [{}]
    for (const user of users) {
      const { identity } = await sleeper(t, user)
      const before = limitOf(identity.pid)
      binding().setDataLimit(identity.pid, 100_000_000)
      t.deepEqual(limitOf(identity.pid), ['100000000', before?.[1]])
      binding().setDataLimit(identity.pid, 200_000_000)
      t.deepEqual(limitOf(identity.pid), ['200000000', before?.[1]])
    }
  },
)

onLinux('who is at the other end of a socket is the kernel own word', async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'pk-peer-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const file = path.join(folder, 's')
  const server = createServer()
  t.teardown(() => server.close())
  server.listen(file)
  await once(server, 'listening')
  const script = `require('net').connect(${JSON.stringify(file)})`
  const child = spawn(process.execPath, ['-e', script], { stdio: 'ignore' })
  t.teardown(() => child.kill('SIGKILL'))
  const [socket] = (await once(server, 'connection')) as [Socket & { _handle: { fd: number } }]
  t.teardown(() => socket.destroy())
  const peer = binding().peerCredentials(socket._handle.fd)
  t.deepEqual(peer, {
    pid: child.pid as number,
    uid: process.getuid?.() as number,
    gid: process.getgid?.() as number,
  })
})

onLinux('arguments that are none are refused by name', (t) => {
  t.throws(() => binding().watchProcess(-1, 0, () => {}), { code: 'PK_E_BAD_ARGUMENT' })
  t.throws(() => binding().setDataLimit(process.pid, -1), { code: 'PK_E_BAD_ARGUMENT' })
  t.throws(() => binding().setDataLimit(2 ** 31 - 1, 1), { code: 'PK_E_IO' })
  t.throws(() => binding().peerCredentials(1_000_000), { code: 'PK_E_IO' })
})
