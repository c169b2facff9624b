/** How a process ends with a terminal in it: by itself, in its own time, and without losing a sale. */
import test, { type ExecutionContext } from 'ava'
import { openTerminal } from '../../ts/index.js'
import { type Ended, program } from '../support/child.js'
import { tempStore } from '../support/store.js'

/** Ends a program in a way, then opens its terminal. */
async function endsBy(t: ExecutionContext, way: string) {
  const root = tempStore(t)
  const ended = await program('ending.mjs', [root, way])
  const next = await openTerminal({ root, id: 'T1' })
  const { recovery } = next
  const sold = next.status().nextReceipt - 1
  await next.close()
  return { ended, recovery, sold }
}

function byItself(t: ExecutionContext, { code, signal, stderr }: Ended): void {
  t.is(stderr, '')
  t.is(signal, null)
  t.is(code, 0)
}

for (const way of ['closed', 'closedSync']) {
  test(`${way}: the process ends by itself and the next opening is clean`, async (t) => {
    const { ended, recovery, sold } = await endsBy(t, way)
    byItself(t, ended)
    t.true(recovery.clean)
    t.is(sold, 1)
  })
}

test('left open with nothing waiting: the process ends by itself, the next opening recovers', async (t) => {
  const { ended, recovery, sold } = await endsBy(t, 'left')
  byItself(t, ended)
  t.false(recovery.clean)
  t.false(recovery.previousOwner?.released)
  t.is(sold, 1)
})

test('left open with a call that waits: the process stays until it is answered', async (t) => {
  const { ended, sold } = await endsBy(t, 'waiting')
  byItself(t, ended)
  t.is(ended.stdout, 'sold 1\nsold 2\n')
  t.is(sold, 2)
})

test('the same on a terminal that was opened on the thread', async (t) => {
  const { ended } = await endsBy(t, 'waitingSync')
  byItself(t, ended)
  t.is(ended.stdout, 'sold 1\nsold on T2\n')
})

test('an opening that is under way is answered', async (t) => {
  const { ended } = await endsBy(t, 'opening')
  byItself(t, ended)
  t.is(ended.stdout, 'sold 1\nopened T2\n')
})

test('process.exit() with calls that wait: the code is the one given', async (t) => {
  const { ended, sold } = await endsBy(t, 'exit')
  t.is(ended.code, 7)
  t.is(ended.stderr, '')
  t.true(sold >= 1 && sold <= 101)
})

test('process.exit() while it closes does not crash', async (t) => {
  const { ended, sold } = await endsBy(t, 'exitWhileClosing')
  byItself(t, ended)
  t.is(sold, 1)
})

test('an exception of the host ends the process and nothing else', async (t) => {
  const { ended, recovery, sold } = await endsBy(t, 'throws')
  t.is(ended.code, 1)
  t.regex(ended.stderr, /a fault of the host/)
  t.false(recovery.clean)
  t.true(sold >= 1 && sold <= 2)
})

test('SIGKILL in the middle of a burst loses no acknowledged sale', async (t) => {
  const { ended, recovery, sold } = await endsBy(t, 'kill')
  t.is(ended.signal, 'SIGKILL')
  t.is(ended.stdout, 'sold 1\n')
  t.false(recovery.clean)
  t.true(sold >= 1 && sold <= 101)
})

test('terminals can be opened and closed again and again in one process', async (t) => {
  const { ended } = await endsBy(t, 'reopen')
  byItself(t, ended)
  t.is(ended.stdout, 'sold 1\nreopened\n')
})
