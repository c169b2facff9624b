import test from 'ava'
import fc from 'fast-check'
import { burstFrames, Pace, type Paced, paceFrames } from '../../../ts/host/bus/pace.js'

const peerOf = (): Paced => ({ allowance: burstFrames, allowedAt: 0 })

test('a peer that is alone never waits, and beside others it has its pace', (t) => {
  const pace = new Pace<Paced>()
  const [flood, other] = [peerOf(), peerOf()]
  /** Frames that are passed on in `ms`, in turns of 64 each twentieth of a millisecond. */
  const run = (from: number, ms: number, isBesideOthers: boolean) => {
    let passed = 0
    for (let step = 0; step < ms * 20; step += 1) {
      const now = from + step / 20
      if (isBesideOthers && step % 20 === 0) {
        t.false(pace.mustWait(other, now), 'who keeps its pace does not wait')
        pace.spend(other, 1, 100, true, now)
      }
      if (pace.mustWait(flood, now)) continue
      pace.spend(flood, 64, 0, true, now)
      passed += 64
    }
    return passed
  }
  t.is(run(0, 50, false), 64 * 50 * 20)
  const beside = run(50, 100, true)
  t.true(beside <= paceFrames * 100 + 64, `${beside} in 100 ms`)
  t.true(beside >= paceFrames * 99)
  t.true(run(200, 50, false) > paceFrames * 50 * 4, 'alone again')
})

test('room given back is nothing that others wait for, nor is what a peer itself says', (t) => {
  const pace = new Pace<Paced>()
  const [stream, receiver] = [peerOf(), peerOf()]
  for (let now = 0; now < 100; now += 1) {
    t.false(pace.mustWait(stream, now))
    pace.spend(stream, 5000, 0, true, now)
    pace.mustWait(receiver, now)
    pace.spend(receiver, 1, 16, false, now)
  }
})

test('a peer within its pace never waits, whatever others do', (t) => {
  const step = fc.record({ ms: fc.nat(5), frames: fc.nat(100_000), isFlood: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const pace = new Pace<Paced>()
      const [flood, good] = [peerOf(), peerOf()]
      let now = 0
      for (const { ms, frames, isFlood } of steps) {
        now += ms
        if (isFlood) {
          if (!pace.mustWait(flood, now)) pace.spend(flood, frames, frames * 100, true, now)
        } else {
          t.false(pace.mustWait(good, now))
          pace.spend(good, Math.min(frames, ms * paceFrames), 0, true, now)
        }
      }
    }),
    // Who has used up the whole burst owes nothing.
    {
      numRuns: 1000,
      examples: [
        [
          [
            { ms: 0, frames: 1, isFlood: true },
            { ms: 5, frames: 1000, isFlood: false },
            { ms: 0, frames: 0, isFlood: false },
          ],
        ],
      ],
    },
  )
})

test('who is gone is waited for by nobody', (t) => {
  const pace = new Pace<Paced>()
  const [flood, other] = [peerOf(), peerOf()]
  pace.spend(other, 1, 0, true, 0)
  pace.mustWait(flood, 0)
  pace.spend(flood, 100_000, 0, true, 0)
  t.true(pace.mustWait(flood, 0))
  pace.forget(other)
  t.false(pace.mustWait(flood, 0))
})
