/** The minimiser from Node: what it answers, what it refuses, and that nothing waits for it. */
import { availableParallelism } from 'node:os'
import { setImmediate as tick } from 'node:timers/promises'
import test from 'ava'
import fc from 'fast-check'
import {
  isPosError,
  type LogicRow,
  type LogicTable,
  type MinimizeOptions,
  type MinimizePhase,
  minimize,
  minimizeSync,
} from '../../ts/index.js'
import { program } from '../support/child.js'
import { refusal } from '../support/store.js'
import { denseTable, plaFile } from '../support/tables.js'

/** A run that would go on for minutes, aborted at the end of its test. */
function hardRun(t: { teardown(end: () => void): void }, options: MinimizeOptions = {}) {
  const controller = new AbortController()
  t.teardown(() => controller.abort())
  const { signal } = controller
  const promise = minimize(denseTable(14, 8), { mode: 'exact', ...options, signal })
  let isSettled = false
  const settled = promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  void settled.then(() => {
    isSettled = true
  })
  return { controller, settled, isSettled: () => isSettled }
}

test('a PLA text becomes the smallest table, with the names of the input', async (t) => {
  const text = [
    '.i 3',
    '.o 2',
    '.ilb member staff adult',
    '.ob wine knives',
    '1-1 10',
    '0-1 10',
    '-11 01',
    '.e',
  ].join('\n')
  const answer = await minimize(text)
  t.deepEqual(
    [...answer.f],
    [
      { inputs: '-11', values: [], outputs: [1] },
      { inputs: '--1', values: [], outputs: [0] },
    ],
  )
  t.like(answer, {
    type: 'fd',
    productsIn: 3,
    productsOut: 2,
    literalsIn: { in: 6, mv: 0, out: 3 },
    literalsOut: { in: 3, mv: 0, out: 2 },
    lowerBound: 2,
    proved: true,
    stoppedEarly: false,
    verified: true,
    notes: [],
  })
  t.deepEqual(answer.layout, {
    binary: 3,
    valued: [],
    outputs: 2,
    inputNames: ['member', 'staff', 'adult'],
    outputNames: ['wine', 'knives'],
  })
  t.is(
    answer.pla,
    '.i 3\n.o 2\n.ilb member staff adult\n.ob wine knives\n.type f\n.p 2\n-11 01\n--1 10\n.e\n',
  )
  t.true(answer.seconds > 0)
  t.deepEqual((await minimize(Buffer.from(text))).pla, answer.pla)
  t.deepEqual(minimizeSync(text).pla, answer.pla)
})

test('a typed table with values gives typed rows, and they are taken back', async (t) => {
  const table = {
    layout: {
      binary: 1,
      valued: [7, 3],
      outputs: 2,
      inputNames: ['coupon'],
      valueNames: [['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], []],
      outputNames: ['off5', 'off10'],
    },
    f: [
      {
        inputs: '1',
        values: [
          [0, 1, 2],
          [0, 1, 2],
        ],
        outputs: [0],
      },
      {
        inputs: '1',
        values: [
          [3, 4],
          [0, 1, 2],
        ],
        outputs: [0],
      },
      { inputs: '-', values: [[5, 6], [2]], outputs: [1] },
    ],
    d: [
      {
        inputs: '1',
        values: [
          [5, 6],
          [0, 1, 2],
        ],
        outputs: [0],
      },
    ],
  } satisfies LogicTable
  const answer = await minimize(table, { mode: 'exact' })
  t.deepEqual(
    [...answer.f],
    [
      { inputs: '-', values: [[5, 6], [2]], outputs: [1] },
      {
        inputs: '1',
        values: [
          [0, 1, 2, 3, 4],
          [0, 1, 2],
        ],
        outputs: [0],
      },
    ],
  )
  t.is(answer.type, 'fd')
  t.true(answer.proved)
  t.deepEqual(answer.layout, table.layout)
  t.regex(answer.pla, /^\.mv 4 1 7 3 2\n\.ilb coupon\n\.label var=1 mon tue/)
  t.is(answer.d?.size, 1)
  t.deepEqual(answer.f.at(0), { inputs: '-', values: [[5, 6], [2]], outputs: [1] })
  t.is(answer.f.at(2), undefined)
  t.is(answer.f.at(-1), undefined)
  t.deepEqual(JSON.parse(JSON.stringify(answer.f)), [...answer.f])
  const again = await minimize({
    layout: answer.layout,
    f: answer.f,
    ...(answer.r && { r: answer.r }),
  })
  t.is(again.type, 'fr')
  t.is(again.productsOut, 2)
})

test('a table of one multi-valued input and no binary one keeps its rows', async (t) => {
  const row = (value: number): LogicRow => ({ inputs: '', values: [[value]], outputs: [0] })
  const answer = await minimize({ layout: { valued: [4], outputs: 1 }, f: [row(1), row(3)] })
  t.deepEqual([...answer.f], [{ inputs: '', values: [[1, 3]], outputs: [0] }])
  t.deepEqual([...(answer.r ?? [])], [{ inputs: '', values: [[0, 2]], outputs: [0] }])
})

test('the sets to write are chosen, and what is not listed is said to be missing', async (t) => {
  const listed = '.i 2\n.o 1\n.type fr\n11 1\n00 0\n'
  t.regex((await minimize(listed, { write: 'fr' })).pla, /\.type fr\n\.p 2\n/)
  t.regex((await minimize(listed, { write: 'fdr' })).pla, /\.type fr\n/)
  const error = await refusal(t, () => minimize(listed, { write: 'fd' }), 'PK_E_BAD_ARGUMENT')
  t.like(error.facts, { argument: 'write', value: 'fd' })
  const free = '.i 2\n.o 1\n11 1\n01 -\n.e\n'
  t.regex((await minimize(free, { write: 'fd' })).pla, /\n-1 1\n01 2\n/)
  t.regex((await minimize(free, { write: 'fdr' })).pla, /\.type fdr\n\.p 3\n-1 1\n01 -\n-0 0\n/)
})

test('every answer has the meaning of its question, mode by mode', async (t) => {
  const point = fc.constantFrom('f', 'd', 'r')
  const shape = fc.record({
    binary: fc.integer({ min: 1, max: 4 }),
    valued: fc.constantFrom([], [3], [2, 3]),
    mode: fc.constantFrom('fast', 'normal', 'strong', 'exact'),
    sets: fc.constantFrom('f', 'fd', 'fr', 'fdr'),
    points: fc.array(point, { minLength: 96, maxLength: 96 }),
  })
  await fc.assert(
    fc.asyncProperty(shape, async ({ binary, valued, mode, sets, points }) => {
      const sizes = [...Array<number>(binary).fill(2), ...valued]
      const count = sizes.reduce((product, size) => product * size, 1)
      const rows: Record<string, LogicRow[]> = { f: [], d: [], r: [] }
      const digits = (index: number) =>
        sizes.map((size) => {
          const digit = index % size
          index = Math.floor(index / size)
          return digit
        })
      const all = Array.from({ length: count }, (_, index) => digits(index))
      const want = all.map((of, index) => {
        const set = points[index] ?? 'r'
        const inputs = of.slice(0, binary).join('')
        const values = of.slice(binary).map((value) => [value])
        rows[set]?.push({ inputs, values, outputs: [0] })
        return set
      })
      const answer = await minimize(
        {
          layout: { binary, valued, outputs: 1 },
          f: rows.f ?? [],
          ...(sets.includes('d') && { d: rows.d }),
          ...(sets.includes('r') && { r: rows.r }),
        },
        { mode },
      )
      const products = [...answer.f]
      t.is(products.length, answer.productsOut)
      all.forEach((of, index) => {
        const isIn = products.some(
          ({ inputs, values }) =>
            of
              .slice(0, binary)
              .every((digit, at) => inputs[at] === '-' || inputs[at] === `${digit}`) &&
            of.slice(binary).every((digit, at) => values?.[at]?.includes(digit)),
        )
        // What no row lists: with r and without d either, else 0.
        const listed = want[index] === 'd' && !sets.includes('d') ? undefined : want[index]
        const isFree = listed === 'd' || (listed === undefined && sets === 'fr')
        if (!isFree) t.is(isIn, listed === 'f', JSON.stringify({ of, sets, mode }))
      })
    }),
    { numRuns: 150 },
  )
})

test('any number of threads gives the same bytes', async (t) => {
  const text = plaFile('promo_m1.pla')
  const one = await minimize(text)
  for (const threads of [2, 8]) t.is((await minimize(text, { threads })).pla, one.pla)
  t.is(one.productsOut, 139)
})

test('the event loop goes on while a hard function is minimised, and an abort ends it', async (t) => {
  const phases = new Set<MinimizePhase>()
  const { controller, settled, isSettled } = hardRun(t, {
    onProgress: ({ phase, products }) => {
      t.true(products > 0)
      phases.add(phase)
    },
  })
  while (!phases.has('expand')) await tick()
  for (let turns = 0; turns < 1_000; turns += 1) await tick()
  t.false(isSettled())
  const reason = new Error('the customer left')
  controller.abort(reason)
  t.is(await settled, reason)
})

test('an abort of 64 outputs at once, before, and after the answer', async (t) => {
  let told = 0
  const controller = new AbortController()
  const running = minimize(denseTable(11, 64), {
    signal: controller.signal,
    onProgress: () => {
      told += 1
      controller.abort()
    },
  })
  t.is(await running.catch((reason: unknown) => reason), controller.signal.reason)
  t.true(told >= 1)
  const before = minimize('.i 1\n.o 1\n1 1\n', { signal: AbortSignal.abort('not today') })
  t.is(await before.catch((reason: unknown) => reason), 'not today')
  const late = new AbortController()
  t.is((await minimize('.i 1\n.o 1\n1 1\n', { signal: late.signal })).productsOut, 1)
  late.abort()
})

test('more runs than processors wait in order, and an abort gives the turn to the next', async (t) => {
  const hard = Array.from({ length: availableParallelism() }, () => hardRun(t))
  const queued = hardRun(t)
  let answered = false
  const small = minimize('.i 1\n.o 1\n1 1\n').then((answer) => {
    answered = true
    return answer.productsOut
  })
  for (let turns = 0; turns < 200; turns += 1) await tick()
  t.false(answered, 'it waits')
  queued.controller.abort('changed my mind')
  t.is(await queued.settled, 'changed my mind', 'who waits can leave')
  t.false(answered, 'it still waits')
  for (const { controller, settled } of hard) {
    controller.abort()
    await settled
  }
  t.is(await small, 1)
})

test('a process exits in the middle of a run, and a worker takes its run with it', async (t) => {
  t.is((await program('minimize-and-leave.mjs', ['exit'])).code, 7)
  if (process.platform !== 'linux') return
  const worker = await program('minimize-and-leave.mjs', ['worker'])
  t.like(worker, { code: 0, stdout: 'while it runs: 1\nafterwards: 0\n', stderr: '' })
})

test('limits of time and memory end a run with the best answer so far, or say that there is none', async (t) => {
  for (const limit of [{ timeLimitMs: 1 }, { timeLimitMs: 300 }, { memoryLimitBytes: 2_000 }]) {
    const outcome = await minimize(denseTable(9, 4), {
      mode: 'timeLimitMs' in limit ? 'exact' : 'fast',
      ...limit,
    }).catch((error: unknown) => error)
    if (isPosError(outcome, 'PK_E_NO_ANSWER')) {
      const what = 'timeLimitMs' in limit ? 'time' : 'memory'
      t.deepEqual(outcome.facts, { what, limit: Object.values(limit)[0] })
    } else {
      t.like(outcome, { verified: true, proved: false })
    }
  }
  const { productsOut, r } = await minimize(plaFile('o64.pla'), { memoryLimitBytes: 16 << 20 })
  t.is(productsOut, 65)
  t.is(r, undefined, 'an OFF-set of 2^65 cubes is not listed')
  const off = () => minimize(plaFile('o64.pla'), { memoryLimitBytes: 16 << 20, write: 'fr' })
  t.deepEqual((await refusal(t, off, 'PK_E_NO_ANSWER')).facts, { what: 'offRows' })
})

test('a bad PLA is refused with line and column, and at once', async (t) => {
  const wide = '-'.repeat(1_000_001)
  const cases: [string, number, number, RegExp][] = [
    ['', 1, 1, /the text ends/],
    ['.i 2\n.o 1\n.ilb a\n01 1\n', 3, 1, /\.ilb has 1 words, but needs 2/],
    ['.i 2\n.o 23\n.ob a b c\n01 1\n', 3, 1, /\.ob has 3 words, but needs 23/],
    ['.i 1000000\n.o 1\n', 1, 4, /from 0 to 65534, not "1000000"/],
    [`.i 1000000\n.o 1\n${wide} 1\n`, 1, 4, /from 0 to 65534/],
    [`.i 3\n.o 1\n${wide}\n`, 4, 1, /last row is not complete/],
    ['.i 2\n.o 1\n.type fr\n1- 1\n11 0\n', 5, 1, /opposite row in line 4/],
    ['.mv 4 1 7 4\n', 1, 1, /\.mv/],
    ['.mv 3 5 2 2\n', 1, 7, /./],
    ['.mv 3 1 0 2\n', 1, 9, /./],
    ['.mv 3 1 -1000000 2\n', 1, 9, /./],
    ['.i 2\n.o 1\n01 1\n0', 4, 1, /last row is not complete/],
    ['.i 2\n.o 1\n01 1\n0x 1\n', 4, 2, /'x' means nothing/],
    ['.i 2\n.o 1\n\u0000\u0001\n', 3, 1, /means nothing/],
    ['.i 1\n.o 1\n1 1\n.e\n.i 1\n.o 1\n0 1\n.e\n', 5, 1, /second function/],
    ['.i 1\n.o 1\n.kiss\n', 3, 1, /\.kiss is not supported/],
  ]
  for (const [text, line, column, message] of cases) {
    const shown = text.slice(0, 60)
    const error = await refusal(t, () => minimize(text), 'PK_E_BAD_PLA')
    t.regex(error.message, message, shown)
    t.like(error.facts, { line, column }, `${shown}: ${error.message}`)
    t.is((await refusal(t, () => minimizeSync(text), 'PK_E_BAD_PLA')).message, error.message)
  }
  const error = await refusal(t, () => minimize('.i 1\n.o 1\n.type fr\n1 1\n- 0\n'), 'PK_E_BAD_PLA')
  t.deepEqual(error.facts, { line: 5, column: 1, otherLine: 4 })
})

test('bytes that are no text at all are refused or answered, never worse', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        return minimizeSync(bytes).verified
      } catch (error) {
        return isPosError(error, 'PK_E_BAD_PLA')
      }
    }),
    { numRuns: 300 },
  )
  t.pass()
})

test('a typed table that does not fit is refused by name', async (t) => {
  const layout = { binary: 2, valued: [3], outputs: 2 }
  const row = { inputs: '0-', values: [[1]], outputs: [1] }
  const good = { layout, f: [row] }
  t.is((await minimize(good)).productsOut, 1)
  const cases: [unknown, string][] = [
    [undefined, 'table'],
    [7, 'table'],
    [{ ...good, rows: [] }, 'rows'],
    [{ f: [] }, 'table.layout'],
    [{ layout: { binary: 2 }, f: [] }, 'table.layout.outputs'],
    [{ layout: { ...layout, outputs: 0 }, f: [] }, 'table.layout.outputs'],
    [{ layout: { ...layout, binary: 1e6 }, f: [] }, 'table.layout.binary'],
    [{ layout: { ...layout, valued: [0] }, f: [] }, 'table.layout.valued[0]'],
    [{ layout: { ...layout, inputNames: ['a'] }, f: [] }, 'table.layout.inputNames'],
    [{ layout: { ...layout, valueNames: [[], []] }, f: [] }, 'table.layout.valueNames'],
    [{ layout }, 'table.f'],
    [{ layout, f: row }, 'table.f'],
    [{ layout, f: [{ ...row, inputs: '0' }] }, 'table.f[0].inputs'],
    [{ layout, f: [row, { ...row, inputs: '02' }] }, 'table.f[1].inputs'],
    [{ layout, f: [{ ...row, values: [] }] }, 'table.f[0].values'],
    [{ layout, f: [row], d: [{ ...row, values: [[3]] }] }, 'table.d[0].values[0]'],
    [{ layout, f: [{ ...row, outputs: [2] }] }, 'table.f[0].outputs'],
    [{ layout, f: [{ ...row, outputs: 1 }] }, 'table.f[0].outputs'],
  ]
  for (const [table, argument] of cases) {
    const error = await refusal(t, () => minimize(table as LogicTable), 'PK_E_BAD_ARGUMENT')
    t.is(error.facts.argument, argument, error.message)
  }
  const named = { ...good, layout: { ...layout, inputNames: ['two words', 'b'] } }
  t.is((await refusal(t, () => minimize(named), 'PK_E_BAD_TEXT')).facts.value, 'two words')
  const empty = { layout, f: [row, { ...row, values: [[]] }] }
  t.is((await refusal(t, () => minimize(empty), 'PK_E_BAD_PLA')).facts.row, 'f[1]')
  const both = { layout, f: [row, { ...row, inputs: '1-' }], r: [{ ...row, inputs: '11' }] }
  const error = await refusal(t, () => minimize(both), 'PK_E_BAD_PLA')
  t.deepEqual(error.facts, { row: 'r[0]', otherRow: 'f[1]' })
  t.is(error.message, 'rows f[1] and r[0] of the table say the opposite of a point that they share')
})

test('options that mean nothing are refused by name', async (t) => {
  const text = '.i 1\n.o 1\n1 1\n'
  const cases: [object, string][] = [
    [{ mode: 'slow' }, 'mode'],
    [{ timeLimitMs: 0 }, 'timeLimitMs'],
    [{ timeLimitMs: 1.5 }, 'timeLimitMs'],
    [{ memoryLimitBytes: -1 }, 'memoryLimitBytes'],
    [{ threads: 0 }, 'threads'],
    [{ threads: 65 }, 'threads'],
    [{ write: 'r' }, 'write'],
    [{ signal: {} }, 'signal'],
    [{ onProgress: 1 }, 'onProgress'],
    [{ timeLimit: 5 }, 'timeLimit'],
  ]
  for (const [options, argument] of cases) {
    const error = await refusal(t, () => minimize(text, options), 'PK_E_BAD_ARGUMENT')
    t.is(error.facts.argument, argument, error.message)
  }
  const withSignal = () => minimizeSync(text, { signal: AbortSignal.abort() } as object)
  t.is((await refusal(t, withSignal, 'PK_E_BAD_ARGUMENT')).facts.argument, 'signal')
})
