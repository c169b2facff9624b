import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { openTerminal } from '../../../ts/kernel/terminal.js'
import { AppRoom } from './room.js'

function till(t: ExecutionContext): { room: AppRoom; root: string } {
  const room: AppRoom = new AppRoom(t, { kind: 'terminal', terminal: 'T1', root: '' })
  const root = path.join(room.folder, 'store')
  Object.assign(room.bootstrap, { root })
  return { room, root }
}

test.serial('a terminal says how it sells and how its journal is, and drains', async (t) => {
  const { room, root } = till(t)
  const supervisor = await room.supervisor()
  const app = room.start('till')
  const ready = await supervisor.note('ready')
  const recovery = ready.value.recovery as Record<string, unknown>
  t.is(recovery.firstOpen, true)
  t.is(recovery.clean, true)
  supervisor.notes.length = 0
  const { value } = await supervisor.until(() =>
    supervisor.notes.find(({ name, value }) => name === 'heartbeat' && value !== undefined),
  )
  t.deepEqual(value.terminal, { id: 'T1', sales: 3, openSales: 1, journal: 'ok', recovery })
  await supervisor.request('drain', { why: 'closing time', deadlineMs: 500 })
  t.deepEqual(await app.ended, { code: 0, signal: null })
  const terminal = await openTerminal({ root, id: 'T1' })
  t.true(terminal.recovery.clean)
  const states = terminal.openSales().map((sale) => sale.totals().state)
  t.deepEqual(states, ['suspended'])
  await terminal.close()
})

test.serial('a terminal that was killed says so when it is ready again', async (t) => {
  const { room } = till(t)
  const supervisor = await room.supervisor()
  const app = room.start('till')
  await supervisor.note('ready')
  await app.kill()
  supervisor.notes.length = 0
  room.start('till')
  const { value } = await supervisor.note('ready')
  const recovery = value.recovery as Record<string, unknown>
  t.is(recovery.clean, false)
  t.is(recovery.firstOpen, false)
  t.is((recovery.sales as unknown[]).length, 1)
})
