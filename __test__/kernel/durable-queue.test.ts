import test from 'ava'
import { DurableQueue, type Flusher } from '../../ts/kernel/durable-queue.js'
import { isPosError, posError } from '../../ts/kernel/errors.js'

/** A device whose flushes a test answers by hand. */
class HandFlusher implements Flusher {
  flushes = 0
  held = 0
  durable = 0

  flush(): number {
    this.flushes += 1
    return this.durable
  }

  hold(): void {
    this.held += 1
  }

  release(): void {
    this.held -= 1
  }

  durableSequence(): number {
    return this.durable
  }
}

function queueWith(): { queue: DurableQueue; device: HandFlusher; failed: string[] } {
  const failed: string[] = []
  const queue = new DurableQueue((operation) => failed.push(operation))
  const device = new HandFlusher()
  queue.attach(device)
  return { queue, device, failed }
}

const fault = { code: 'PK_E_OUTCOME_UNKNOWN', message: 'the sync failed', facts: { osCode: 5 } }

test('a burst asks for one flush and is settled in order, as far as it is durable', async (t) => {
  const { queue, device } = queueWith()
  const settled: number[] = []
  const waiting = [1, 2, 3].map((sequence) =>
    queue.wait(sequence, 'sell', sequence, undefined).then((value) => settled.push(value)),
  )
  t.is(device.flushes, 0, 'not before the burst is over')
  t.is(device.held, 1)
  await Promise.resolve()
  t.is(device.flushes, 1)
  queue.onDurable(2)
  await waiting[1]
  t.deepEqual(settled, [1, 2])
  t.is(device.held, 1, 'one still waits')
  queue.onDurable(3)
  await Promise.all(waiting)
  t.deepEqual(settled, [1, 2, 3])
  t.is(device.held, 0)
})

test('a flush that is over at once settles without being told', async (t) => {
  const { queue, device } = queueWith()
  device.durable = 1
  const first = queue.wait(1, 'sell', 'a', undefined)
  const second = queue.wait(2, 'sell', 'b', undefined)
  t.is(await first, 'a')
  t.is(device.held, 1, 'the second is not durable yet')
  queue.onDurable(2)
  t.is(await second, 'b')
  t.is(device.held, 0)
})

test('a flush that is refused rejects what waits', async (t) => {
  const { queue, device } = queueWith()
  device.flush = () => {
    throw fault
  }
  const error = await t.throwsAsync(queue.wait(1, 'sell', 'a', undefined))
  t.true(isPosError(error, 'PK_E_OUTCOME_UNKNOWN'))
  t.is(device.held, 0)
})

test('what joins while a flush is under way asks for the next one', async (t) => {
  const { queue, device } = queueWith()
  const first = queue.wait(1, 'sell', 'a', undefined)
  await Promise.resolve()
  const second = queue.wait(2, 'sell', 'b', undefined)
  await Promise.resolve()
  t.is(device.flushes, 2)
  queue.onDurable(2)
  t.deepEqual(await Promise.all([first, second]), ['a', 'b'])
})

test('a failure rejects those that wait, and not those that became durable before it', async (t) => {
  const { queue, device, failed } = queueWith()
  const first = queue.wait(1, 'addLine', 'a', undefined)
  const second = queue.wait(2, 'tender', 'b', undefined)
  const third = queue.wait(3, 'complete', 'c', undefined)
  device.durable = 1
  queue.onDurable(-1, fault)
  t.is(await first, 'a')
  for (const waiting of [second, third]) {
    const error = await t.throwsAsync(waiting)
    t.true(isPosError(error, 'PK_E_OUTCOME_UNKNOWN'))
  }
  t.deepEqual(failed, ['tender', 'complete'])
  t.is(device.held, 0)
})

test('a call made by a listener of the failure is not failed by it', async (t) => {
  const device = new HandFlusher()
  let late: Promise<string> | undefined
  const queue = new DurableQueue(() => {
    late = queue.wait(2, 'sell', 'late', undefined)
  })
  queue.attach(device)
  const first = queue.wait(1, 'sell', 'first', undefined)
  queue.fail(posError('PK_E_POISONED', 'gone', {}))
  await t.throwsAsync(first)
  t.is(device.held, 1)
  queue.onDurable(2)
  t.is(await late, 'late')
})

test('a queue that never empties keeps its memory bounded and its order', async (t) => {
  const { queue, device } = queueWith()
  let sum = 0
  const waiting: Promise<unknown>[] = []
  for (let sequence = 1; sequence <= 10_000; sequence += 1) {
    waiting.push(
      queue.wait(sequence, 'sell', sequence, undefined).then((value) => {
        sum += value
      }),
    )
    if (sequence > 3) queue.onDurable(sequence - 3)
  }
  t.is(device.held, 1)
  queue.onDurable(10_000)
  await Promise.all(waiting)
  t.is(sum, (10_000 * 10_001) / 2)
  t.is(device.held, 0)
})

test('without a device nothing is held or flushed', async (t) => {
  const { queue, device } = queueWith()
  queue.detach()
  const waiting = queue.wait(1, 'sell', 1, undefined)
  await Promise.resolve()
  t.is(device.flushes, 0)
  queue.settle(1)
  t.is(await waiting, 1)
  t.is(device.held, 0)
})
