import { appendFileSync, statSync } from 'node:fs'
import test from 'ava'
import { HostPlace } from '../../../ts/host/place.js'
import { EventLog } from '../../../ts/host/supervisor/event-log.js'
import { makeFolder } from '../../../ts/host/supervisor/records.js'
import { tempStore } from '../../support/store.js'

const MiB = 1024 * 1024

test('numbers go on over supervisors, and over a line that was torn', (t) => {
  const place = new HostPlace(tempStore(t))
  makeFolder(place.folder)
  const first = new EventLog(place)
  for (let count = 0; count < 3; count += 1) first.say('ready', { text: `${count}` })
  first.close()
  appendFileSync(place.file('events.jsonl'), '{"seq":4,"at":17')
  const second = new EventLog(place)
  t.is(second.say('ready', { text: 'next' }).seq, 4)
  second.close()
  const third = new EventLog(place)
  t.deepEqual(
    third.list().map(({ seq }) => seq),
    [1, 2, 3, 4],
  )
  third.close()
})

test('two generations are kept, each of bounded length, and older events are read from them', (t) => {
  const place = new HostPlace(tempStore(t))
  makeFolder(place.folder)
  const log = new EventLog(place)
  const text = 'x'.repeat(5000)
  for (let count = 0; count < 6000; count += 1) log.say('ready', { text })
  t.is(log.list().at(-1)?.text.length, 2000, 'a sentence is cut')
  for (const name of ['events.jsonl', 'events.1.jsonl']) {
    t.true(statSync(place.file(name)).size <= 4 * MiB)
  }
  const [oldest] = log.list({ from: 0, limit: 1 })
  t.true((oldest?.seq ?? 0) > 1 && (oldest?.seq ?? 0) < 5000)
  const from = (oldest?.seq ?? 0) + 10
  t.deepEqual(
    log.list({ from, limit: 3 }).map(({ seq }) => seq),
    [from, from + 1, from + 2],
  )
  t.is(log.list({ from: 6000 }).length, 1)
  t.is(log.list({ from: 6001 }).length, 0)
  log.close()
})

test('who listens hears each event once, until it no longer wants to', (t) => {
  const place = new HostPlace(tempStore(t))
  makeFolder(place.folder)
  const log = new EventLog(place)
  const heard: number[] = []
  const end = log.listen(({ seq }) => heard.push(seq))
  log.say('ready', { text: 'one' })
  end()
  log.say('ready', { text: 'two' })
  t.deepEqual(heard, [1])
  log.close()
})
