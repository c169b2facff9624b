import test from 'ava'
import {
  type ErrorCode,
  type ErrorFamily,
  errorCodes,
  InputError,
  InternalError,
  isPosError,
  LockError,
  MoneyError,
  openTerminal,
  PosError,
  SaleStateError,
  StorageError,
} from '../../ts/index.js'
import { posError, toPosError } from '../../ts/kernel/errors.js'
import { coffees, refusal, tempStore, terminalFor } from '../support/store.js'

const classes: Record<ErrorFamily, typeof PosError> = {
  money: MoneyError,
  state: SaleStateError,
  input: InputError,
  storage: StorageError,
  lock: LockError,
  internal: InternalError,
}

const codes = Object.keys(errorCodes) as ErrorCode[]

test('every code of the table makes an error of the class of its family', (t) => {
  for (const code of codes) {
    const error = posError(code, 'a sentence', {} as never)
    const { family } = errorCodes[code]
    t.true(error instanceof classes[family], code)
    t.true(error instanceof PosError)
    t.true(error instanceof Error)
    t.is(error.family, family)
    t.is(error.name, classes[family].name)
    t.is(error.code, code)
    t.true(isPosError(error, code))
    t.deepEqual(JSON.parse(JSON.stringify(error)), {
      ok: false,
      code,
      message: 'a sentence',
      facts: {},
    })
  }
})

test('the families have an error each, thrown by the kernel', async (t) => {
  const root = tempStore(t)
  const terminal = await terminalFor(t, { root, id: 'T1' })
  const money = await refusal(
    t,
    () => terminal.sell({ ...coffees, currency: 'XXX' }),
    'PK_E_BAD_CURRENCY',
  )
  t.true(money instanceof MoneyError)
  t.deepEqual(money.facts, { value: 'XXX' })
  const state = await refusal(t, () => terminal.sale(9), 'PK_E_NOT_FOUND')
  t.true(state instanceof SaleStateError)
  t.deepEqual(state.facts, { sale: 9 })
  const input = await refusal(t, () => openTerminal({ root, id: '/' }), 'PK_E_BAD_ID')
  t.true(input instanceof InputError)
  const lock = await refusal(t, () => openTerminal({ root, id: 'T1' }), 'PK_E_TERMINAL_IN_USE')
  t.true(lock instanceof LockError)
  const storage = await refusal(
    t,
    () => openTerminal({ root: '/dev/null/store', id: 'T1' }),
    'PK_E_IO',
  )
  t.true(storage instanceof StorageError)
  t.truthy(storage.facts.path)
})

test('an error keeps what the binding threw as its cause', async (t) => {
  const terminal = await terminalFor(t)
  const error = await refusal(t, () => terminal.sale(9), 'PK_E_NOT_FOUND')
  t.true(error.cause instanceof Error)
  t.is((error.cause as Error & { code: string }).code, 'PK_E_NOT_FOUND')
})

test('an error that nobody foresaw is a fault of ours, with its text', (t) => {
  for (const thrown of [new Error('surprise'), 'surprise', { message: 'surprise', code: 'X' }]) {
    const error = toPosError(thrown)
    t.true(error instanceof InternalError)
    t.is(error.code, 'PK_E_PANIC')
    t.regex(error.message, /surprise/)
    t.is(error.cause, thrown)
  }
  t.true(toPosError(undefined) instanceof InternalError)
})

test('large facts stay numbers while they are exact, and become digits when they are not', (t) => {
  const error = toPosError({
    code: 'PK_E_OVERFLOW',
    message: 'too much',
    facts: { value: 2n ** 60n, limit: BigInt(Number.MAX_SAFE_INTEGER), list: [1n] },
  })
  t.deepEqual(error.facts as object, {
    value: '1152921504606846976',
    limit: Number.MAX_SAFE_INTEGER,
    list: [1],
  })
  t.notThrows(() => JSON.stringify(error))
})

test('the facts of a large amount can be printed', async (t) => {
  const terminal = await terminalFor(t)
  const sale = await terminal.begin({ store: 'shop', currency: 'EUR' })
  await sale.addLine({ sku: 'yacht', quantity: 1, unitPrice: 900_000_000_000 })
  const error = await refusal(t, () => sale.complete(), 'PK_E_UNDERPAID')
  t.deepEqual(error.facts, { sale: 1, gross: 900_000_000_000, tendered: 0, due: 900_000_000_000 })
  const overflow = await refusal(
    t,
    () => sale.addLine({ sku: 'fleet', quantity: 1_000_000, unitPrice: 90_000_000_000 }),
    'PK_E_OVERFLOW',
  )
  t.is(overflow.facts.limit, Number.MAX_SAFE_INTEGER)
  t.notThrows(() => JSON.stringify(overflow))
})
