import test from 'ava'
import type { FatalNote } from '../../../ts/host/app/crash.js'
import type { ExitRecord } from '../../../ts/host/launcher/exit.js'
import { noEvidence, type RuntimeReport } from '../../../ts/host/report/evidence.js'
import {
  type Asked,
  type EndFacts,
  type EndReason,
  endReasons,
  isFromOutside,
  reasonOf,
} from '../../../ts/host/report/reason.js'
import { sentenceOf } from '../../../ts/host/report/sentence.js'

const MiB = 1024 * 1024

function exit(more: Partial<ExitRecord>): ExitRecord {
  return {
    code: null,
    signal: null,
    endedBy: null,
    oomKilled: false,
    oomNearby: false,
    maxRssBytes: 50 * MiB,
    cpuMs: 10,
    at: 1_000_000,
    ...more,
  }
}

function facts(end: Partial<ExitRecord>, more: Partial<EndFacts> = {}): EndFacts {
  return {
    exit: exit(end),
    asked: null,
    wasInTime: false,
    memoryLimit: 128 * MiB,
    evidence: noEvidence,
    ...more,
  }
}

const fatal: FatalNote = {
  at: 1,
  kind: 'exception',
  name: 'TypeError',
  code: '',
  message: 'drawer is not a function\nand a second line',
  stack: 'TypeError: drawer is not a function\n    at sell (till.mjs:3:1)',
  isMemory: false,
  messages: [],
}
const outOfMemory: RuntimeReport = {
  trigger: 'OOMError',
  event: 'Allocation failed - JavaScript heap out of memory',
  message: '',
  javascriptStack: [],
  nativeStack: [],
  heapUsed: 1,
  heapLimit: 1,
}

const table: [string, EndFacts, EndReason][] = [
  ['ended by itself', facts({ code: 0 }), 'finished'],
  ['another code', facts({ code: 3 }), 'exception'],
  [
    'an error nobody caught',
    facts({ code: 70 }, { evidence: { ...noEvidence, fatal } }),
    'exception',
  ],
  [
    'an error, and nobody saw the end',
    facts({}, { evidence: { ...noEvidence, fatal } }),
    'exception',
  ],
  ['nobody saw', facts({}), 'unknown'],
  ['somebody else killed it', facts({ signal: 'SIGKILL' }), 'signal'],
  ['somebody else asked it', facts({ signal: 'SIGTERM' }), 'signal'],
  ['a fault of its own', facts({ signal: 'SIGSEGV' }), 'signal'],
  ['an abort far from its limit', facts({ signal: 'SIGABRT', maxRssBytes: 100 * MiB }), 'signal'],
  [
    'an abort without a limit',
    facts({ signal: 'SIGABRT', maxRssBytes: 9000 * MiB }, { memoryLimit: null }),
    'signal',
  ],
  ['the kernel took it', facts({ signal: 'SIGKILL', oomKilled: true }), 'oom'],
  [
    'the kernel took a child of it, and it went on',
    facts({ code: 0, oomKilled: true }),
    'finished',
  ],
  [
    'the runtime said so',
    facts({ signal: 'SIGABRT' }, { evidence: { ...noEvidence, runtime: outOfMemory } }),
    'oom',
  ],
  [
    'the runtime could only print it',
    facts(
      { signal: 'SIGABRT' },
      {
        evidence: { ...noEvidence, lastWords: "terminate called after throwing 'std::bad_alloc'" },
      },
    ),
    'oom',
  ],
  ['the runtime fell at its limit', facts({ signal: 'SIGSEGV', maxRssBytes: 126 * MiB }), 'oom'],
  [
    'a buffer that could not be had',
    facts({ code: 70 }, { evidence: { ...noEvidence, fatal: { ...fatal, isMemory: true } } }),
    'oom',
  ],
  [
    'a report of no memory that it survived',
    facts({ code: 0 }, { evidence: { ...noEvidence, runtime: outOfMemory } }),
    'finished',
  ],
  ['the launcher held it', facts({ signal: 'SIGKILL', endedBy: 'poll-limit' }), 'limit'],
  ['we held it', facts({ signal: 'SIGKILL' }, { asked: 'limit' }), 'limit'],
  ['it hung', facts({ signal: 'SIGKILL' }, { asked: 'hang' }), 'hang'],
  [
    'it hung, and died of itself before we came',
    facts({ code: 70 }, { asked: 'hang', evidence: { ...noEvidence, fatal } }),
    'exception',
  ],
  ['nobody was there', facts({ signal: 'SIGTERM', endedBy: 'orphan' }), 'stopped'],
  [
    'nobody was there, and it failed as it drained',
    facts({ code: 1, endedBy: 'orphan' }),
    'exception',
  ],
  ['never ready', facts({ signal: 'SIGKILL' }, { asked: 'not-ready' }), 'not-ready'],
  ['killed', facts({ signal: 'SIGKILL' }, { asked: 'kill' }), 'killed'],
  [
    'killed by the launcher',
    facts({ signal: 'SIGKILL', endedBy: 'asked' }, { asked: 'kill' }),
    'killed',
  ],
  ['it drained', facts({ code: 0 }, { asked: 'stop', wasInTime: true }), 'stopped'],
  ['it drained late', facts({ code: 0 }, { asked: 'stop' }), 'stopped'],
  [
    'it knew SIGTERM only',
    facts({ signal: 'SIGTERM' }, { asked: 'stop', wasInTime: true }),
    'stopped',
  ],
  ['it did not drain', facts({ signal: 'SIGKILL' }, { asked: 'recycle' }), 'killed'],
  ['it did not know SIGTERM', facts({ signal: 'SIGTERM' }, { asked: 'recycle' }), 'killed'],
  [
    'it failed while it drained',
    facts({ code: 70 }, { asked: 'stop', wasInTime: true, evidence: { ...noEvidence, fatal } }),
    'exception',
  ],
  [
    'the kernel took it while it drained',
    facts({ signal: 'SIGKILL', oomKilled: true }, { asked: 'stop', wasInTime: true }),
    'oom',
  ],
]

for (const [what, end, reason] of table)
  test(`${what}: ${reason}`, (t) => {
    t.is(reasonOf(end), reason)
  })

test('every end has a reason and a sentence of one line, whatever the facts', (t) => {
  const asks: (Asked | null)[] = [null, 'stop', 'recycle', 'kill', 'hang', 'not-ready', 'limit']
  const ends: Partial<ExitRecord>[] = [
    {},
    { code: 0 },
    { code: 1 },
    ...['SIGKILL', 'SIGTERM', 'SIGABRT', 'SIGSEGV', 'SIGUSR1'].map((signal) => ({ signal })),
  ]
  const seen = new Set<EndReason>()
  for (const asked of asks)
    for (const end of ends)
      for (const endedBy of [null, 'asked', 'poll-limit', 'orphan'] as const)
        for (const wasInTime of [true, false])
          for (const note of [null, fatal, { ...fatal, kind: 'rejection' as const }])
            for (const oomKilled of [true, false]) {
              const all = facts(
                { ...end, endedBy, oomKilled },
                { asked, wasInTime, evidence: { ...noEvidence, fatal: note } },
              )
              const reason = reasonOf(all)
              seen.add(reason)
              const sentence = sentenceOf('clock.1', reason, all, 1500)
              t.regex(sentence, /^clock\.1 ended after 1\.5 s: .{8,300}$/)
            }
  // What never was a process has no end to judge.
  const judged = endReasons.filter((reason) => reason !== 'not-started')
  t.deepEqual([...seen].sort(), judged.sort())
})

test('an app has no part in a kill by others, nor in the end of its launcher', (t) => {
  const isOutside = (all: EndFacts) => isFromOutside(all, reasonOf(all))
  for (const signal of ['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP'])
    t.true(isOutside(facts({ signal })), signal)
  t.true(isOutside(facts({})), 'nobody saw')
  for (const signal of ['SIGABRT', 'SIGBUS', 'SIGSEGV', 'SIGXCPU', 'SIGUSR1'])
    t.false(isOutside(facts({ signal })), signal)
  t.false(isOutside(facts({ signal: 'SIGKILL', oomKilled: true })))
  t.false(isOutside(facts({ signal: 'SIGKILL', oomNearby: true })))
  t.false(isOutside(facts({ signal: 'SIGKILL', endedBy: 'poll-limit' })))
  for (const asked of ['kill', 'hang', 'not-ready', 'limit', 'stop', 'recycle'] as const)
    t.false(isOutside(facts({ signal: 'SIGKILL' }, { asked })), asked)
  for (const end of [facts({ code: 0 }), facts({ code: 1 })]) t.false(isOutside(end))
  t.false(isOutside(facts({}, { evidence: { ...noEvidence, fatal } })))
})

test('sentences name what was there', (t) => {
  const sentence = (end: EndFacts) => sentenceOf('clock.1', reasonOf(end), end, 90)
  t.is(
    sentence(facts({ code: 70 }, { evidence: { ...noEvidence, fatal } })),
    'clock.1 ended after 90 ms: an error that nobody caught, TypeError: drawer is not a function',
  )
  t.is(
    sentence(facts({ signal: 'SIGKILL', oomKilled: true })),
    'clock.1 ended after 90 ms: the kernel found no memory for it within the limit of 128 MiB',
  )
  const hang = {
    at: 1,
    hangMs: 500,
    endedAt: null,
    state: 'S',
    cpuTicks: 0,
    waitsIn: 'do_select',
    syscall: null,
    frame: null,
    kernelStack: [],
  }
  const hung = facts({ signal: 'SIGKILL' }, { asked: 'hang' })
  t.is(
    sentence({ ...hung, evidence: { ...noEvidence, hang } }),
    'clock.1 ended after 90 ms: its event loop stood in do_select',
  )
  const hangStack = { ...outOfMemory, javascriptStack: ['at spin (till.mjs:7:3)'] }
  t.is(
    sentence({ ...hung, evidence: { ...noEvidence, hang, hangStack } }),
    'clock.1 ended after 90 ms: its event loop stood at spin (till.mjs:7:3)',
  )
})
