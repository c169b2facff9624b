/**
 * Sockets of stores whose paths are too long for one: they lie in a folder below that for temporary files, where any
 * user may have made something first.
 */
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { isHostError } from '../../ts/host/error.js'
import { Users } from '../../ts/host/limits/users.js'
import { HostPlace } from '../../ts/host/place.js'
import { holdSocketFolder, shortSocketPath } from '../../ts/host/socket.js'
import { startHost } from '../../ts/host/start.js'
import { Operator } from '../../ts/host/supervisor/operator.js'
import { openTerminal } from '../../ts/index.js'
import { setSocketMode } from '../../ts/kernel/link/socket-mode.js'
import { appOf, hostRoot, inState, until } from './support/supervised.js'

const name = `pos-kernel-host-${process.getuid?.()}`
const stranger = 12_345
const asRoot = (title: string, body: (t: ExecutionContext) => Promise<void> | void) => {
  if (Users.canChange) test.serial(title, body)
  else test.skip(`${title} (skipped: only root makes folders of other users)`, () => undefined)
}

/** A folder for temporary files, as systems have it, and what this process is told of it. */
function temporary(t: ExecutionContext, mode = 0o1777): string {
  const before = process.env.TMPDIR
  const folder = mkdtempSync(path.join('/tmp', 'pk-socket-'))
  chmodSync(folder, mode)
  process.env.TMPDIR = folder
  t.teardown(() => {
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

/** A store with a path that no socket may have, and where its control socket lies then. */
function deepStore(t: ExecutionContext) {
  const above = hostRoot(t)
  const folder = temporary(t)
  const root = path.join(above, 'a-store-whose-path-is-too-long'.repeat(3))
  mkdirSync(root)
  for (const each of [above, root]) chmodSync(each, 0o755)
  return { root, folder: path.join(folder, name), socket: new HostPlace(root).controlSocket }
}

test.serial(
  'a path that is short enough stays where it is; a longer one has a folder of this user',
  (t) => {
    const folder = temporary(t)
    t.is(shortSocketPath('/store/host/control.sock'), '/store/host/control.sock')
    const long = shortSocketPath(`/${'x'.repeat(120)}/control.sock`)
    t.is(path.dirname(long), path.join(folder, name))
    t.not(long, shortSocketPath(`/${'y'.repeat(120)}/control.sock`))
    t.true(Buffer.byteLength(long) <= 100)
  },
)

test.serial(
  'the folder is one that nobody else can list or change, whatever the mask and whatever it was',
  (t) => {
    const folder = path.join(temporary(t), name)
    const socket = path.join(folder, 'a.sock')
    const before = process.umask(0o077)
    t.teardown(() => process.umask(before))
    holdSocketFolder(socket)
    t.is(statSync(folder).mode & 0o7777, 0o711)
    chmodSync(folder, 0o777)
    holdSocketFolder(socket)
    t.is(statSync(folder).mode & 0o7777, 0o711)
  },
)

test.serial('a link in place of the folder is refused and not followed', (t) => {
  const above = temporary(t)
  const elsewhere = path.join(above, 'elsewhere')
  mkdirSync(elsewhere, { mode: 0o700 })
  symlinkSync(elsewhere, path.join(above, name))
  const error = t.throws(() => holdSocketFolder(path.join(above, name, 'a.sock')))
  t.true(isHostError(error, 'HOST_SOCKET_FOLDER'), error?.message)
  t.is(statSync(elsewhere).mode & 0o777, 0o700)
})

test.serial('a folder that others can take away is refused', (t) => {
  const above = temporary(t, 0o777)
  const error = t.throws(() => holdSocketFolder(path.join(above, name, 'a.sock')))
  t.true(isHostError(error, 'HOST_SOCKET_FOLDER'), error?.message)
})

asRoot(
  'a host does not listen in a folder that another user made, and says whose it is',
  async (t) => {
    const { root, folder } = deepStore(t)
    mkdirSync(folder, { mode: 0o777 })
    chownSync(folder, stranger, stranger)
    const manifest = { apps: [appOf('one')] }
    const error = await t.throwsAsync(startHost({ root, manifest }))
    t.true(isHostError(error, 'HOST_SOCKET_FOLDER'), error?.message)
    t.like(error, { facts: { path: folder, owner: stranger } })
    t.regex(error?.message ?? '', new RegExp(`${folder} .*user ${stranger}.*remove it`))
  },
)

asRoot(
  'an operator does not show its key to whoever listens in a folder of another user',
  async (t) => {
    const { root, folder, socket } = deepStore(t)
    mkdirSync(folder)
    const heard: Buffer[] = []
    const server = net.createServer((guest) => guest.on('data', (bytes) => heard.push(bytes)))
    await new Promise<void>((resolve) => server.listen(socket, resolve))
    t.teardown(() => server.close())
    chownSync(folder, stranger, stranger)
    const place = new HostPlace(root)
    mkdirSync(place.folder)
    const owner = { pid: 1, startedAt: 1, key: 'a'.repeat(64) }
    writeFileSync(place.file('host.owner.json'), JSON.stringify(owner))
    const error = await t.throwsAsync(Operator.connect(root))
    t.true(isHostError(error, 'HOST_SOCKET_FOLDER'), error?.message)
    t.is(heard.length, 0)
  },
)

asRoot(
  'apps of users of their own come to sockets in the folder, which no user but this one lists',
  async (t) => {
    const { root, folder, socket } = deepStore(t)
    const before = process.umask(0o077)
    t.teardown(() => process.umask(before))
    const host = await startHost({ root, manifest: { apps: [appOf('one')] } })
    t.teardown(() => host.close())
    await inState(host, 'one', 'ready')
    t.is(statSync(folder).mode & 0o777, 0o711)
    t.is(statSync(socket).mode & 0o777, 0o666)
    const operator = await Operator.connect(root)
    t.is((await operator.ask('status', {})).apps[0]?.state, 'ready')
    operator.close()
  },
)

test.serial('terminals of the same user have another folder, closed to all others', async (t) => {
  const { root, folder } = deepStore(t)
  holdSocketFolder(path.join(folder, 'a.sock'))
  const [one, two] = await Promise.all(['T1', 'T2'].map((id) => openTerminal({ root, id })))
  t.teardown(() => Promise.all([one?.close(), two?.close()]))
  const heard: unknown[] = []
  await one?.messages.onMessage(({ body }) => {
    heard.push(body)
  })
  await two?.messages.send({ to: 'T1', kind: 'x.tea', body: 2 })
  await until(() => heard.length > 0, 'the message')
  t.deepEqual(heard, [2])
  const own = path.join(path.dirname(folder), `pos-kernel-${process.getuid?.()}`)
  t.is(statSync(own).mode & 0o777, 0o700)
})

test('the mode of a socket is set, and that of what a link leads to is not', async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'pk-socket-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const socket = path.join(folder, 'a.sock')
  const server = net.createServer()
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  t.teardown(() => server.close())
  setSocketMode(socket, 0o666)
  t.is(lstatSync(socket).mode & 0o777, 0o666)
  const secret = path.join(folder, 'secret')
  writeFileSync(secret, '', { mode: 0o600 })
  const link = path.join(folder, 'b.sock')
  for (const target of [secret, socket]) {
    symlinkSync(target, link)
    t.throws(() => setSocketMode(link, 0o644))
    rmSync(link)
  }
  t.throws(() => setSocketMode(secret, 0o666))
  t.is(statSync(secret).mode & 0o777, 0o600)
  t.is(statSync(socket).mode & 0o777, 0o666)
  t.true(existsSync(socket))
})
