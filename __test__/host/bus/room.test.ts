import test from 'ava'
import fc from 'fast-check'
import { Room, windowBytes } from '../../../ts/host/bus/room.js'
import { frameBytesMax } from '../../../ts/host/wire/frame.js'

test('one sender takes at most half, two a third each, and who begins always finds room', (t) => {
  const room = new Room<string>()
  const fill = (sender: string) => {
    let taken = 0
    while (room.take(sender, 1000)) taken += 1000
    return taken
  }
  const one = fill('one')
  t.true(Math.abs(one - windowBytes / 2) <= 1000)
  const two = fill('two')
  t.true(Math.abs(two - windowBytes / 4) <= 1000)
  t.true(fill('three') > windowBytes / 10)
  t.false(room.take('one', 1))
  t.true(room.take('late', 1000))
  t.true(room.give(one))
  t.is(room.underWay, two + Math.floor(windowBytes / 8 / 1000) * 1000 + 1000)
})

test('a frame of any length fits an empty window', (t) => {
  t.true(new Room<string>().take('one', frameBytesMax))
})

test('what is under way never exceeds the window, and a receiver cannot give more than it was sent', (t) => {
  const step = fc.oneof(
    fc.record({ sender: fc.nat(4), bytes: fc.integer({ min: 12, max: frameBytesMax }) }),
    fc.record({ give: fc.integer({ min: 0, max: windowBytes }) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const room = new Room<number>()
      let underWay = 0
      for (const it of steps) {
        if ('give' in it) {
          const isPossible = it.give <= underWay
          t.is(room.give(it.give), isPossible)
          if (isPossible) underWay -= it.give
        } else if (room.take(it.sender, it.bytes)) {
          underWay += it.bytes
        }
        t.is(room.underWay, underWay)
        t.true(underWay <= windowBytes)
      }
      t.true(room.give(underWay))
      t.true(room.take(9, frameBytesMax), 'an empty room takes any frame again')
    }),
  )
})
