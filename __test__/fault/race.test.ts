/**
 * Eight processes race for one terminal, round after round, and some are killed while they hold it.
 * There must never be two owners at once and never a lock that stays behind. Four witnesses: what
 * the race itself was told, a marker file that each owner creates exclusively, a log in which owners
 * sign on and off, and the journal, whose owner epochs and sales must tell the same story.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { inspectJournal, listTerminals, verifyStore } from '../../ts/index.js'
import { chance, isLong } from './chance.js'

const roundsWanted = isLong ? 1000 : 20
const racersWanted = 8
/** Rounds on one terminal before a new one is raced for, so that its making is raced for as well. */
const roundsPerTerminal = 25
/** A lock that nobody wins for so long is stuck. */
const stuckMs = 30_000

interface Message {
  readonly kind: 'here' | 'won' | 'idle' | 'failed'
  readonly epoch?: number
  readonly refusals?: number
  readonly message?: string
}

/** One racer, and what it was last heard to do. */
class Racer {
  readonly process: ChildProcess
  isIdle = false

  constructor(onMessage: (racer: Racer, message: Message) => void) {
    const entry = fileURLToPath(new URL('./racer.mjs', import.meta.url))
    this.process = fork(entry, [], { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    this.process.on('message', (message: Message) => onMessage(this, message))
  }

  tell(message: object): void {
    this.process.send(message, () => undefined)
  }

  async kill(): Promise<void> {
    const gone = once(this.process, 'exit')
    this.process.kill('SIGKILL')
    await gone
  }
}

class Race {
  readonly racers: Racer[] = []
  readonly violations: string[] = []
  owner: Racer | undefined
  wins = 0
  kills = 0
  refusals = 0
  #wake = () => {}

  /** Fills the field up and waits until everybody has come. */
  async gather(): Promise<void> {
    while (this.racers.length < racersWanted) {
      this.racers.push(new Racer((racer, message) => this.#hear(racer, message)))
    }
    await this.until('everybody is here', () => this.racers.every(({ isIdle }) => isIdle))
  }

  /** Waits for a fact. */
  async until(what: string, isSo: () => boolean): Promise<void> {
    const limit = delay(stuckMs, 'late' as const, { ref: false })
    while (!isSo()) {
      if (this.violations.length > 0) throw new Error(this.violations.join('\n'))
      const heard = new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      if ((await Promise.race([heard, limit])) === 'late') throw new Error(`stuck: never ${what}`)
    }
  }

  async kill(racer: Racer): Promise<void> {
    this.racers.splice(this.racers.indexOf(racer), 1)
    if (this.owner === racer) this.owner = undefined
    this.kills += 1
    await racer.kill()
  }

  release(): void {
    this.owner?.tell({ kind: 'release' })
    this.owner = undefined
  }

  #hear(racer: Racer, message: Message): void {
    switch (message.kind) {
      case 'won':
        this.wins += 1
        if (this.owner !== undefined && this.racers.includes(racer)) {
          const pids = `${this.owner.process.pid} and ${racer.process.pid}`
          this.violations.push(`two owners: ${pids}, epoch ${message.epoch}`)
        }
        if (this.racers.includes(racer)) this.owner = racer
        break
      case 'failed':
        this.violations.push(message.message ?? 'a racer failed')
        break
      default:
        racer.isIdle = true
        this.refusals += message.refusals ?? 0
    }
    this.#wake()
  }
}

test('eight processes race for a terminal: one owner at a time, and never a stuck lock', async (t) => {
  const luck = chance()
  t.log(`seed ${luck.seed} (POS_KERNEL_SEED)`)
  const root = mkdtempSync(path.join(os.tmpdir(), 'pos-kernel-race-'))
  const race = new Race()
  t.teardown(() => {
    for (const racer of race.racers) racer.process.kill('SIGKILL')
    rmSync(root, { recursive: true, force: true })
  })
  let killedOwners = 0
  for (let round = 0; round < roundsWanted; round += 1) {
    await race.gather()
    const id = `RACE_${Math.floor(round / roundsPerTerminal)}`
    for (const racer of race.racers) {
      racer.isIdle = false
      racer.tell({ kind: 'go', root, id, isSync: luck.happens(0.5) })
    }
    const owners = luck.between(1, 3)
    for (let turn = 0; turn < owners; turn += 1) {
      await race.until('somebody owns the terminal', () => race.owner !== undefined)
      if (luck.happens(0.5)) await delay(luck.between(0, 3))
      if (luck.happens(0.15)) {
        // Any of them, in the middle of whatever it does.
        const victim = race.racers[luck.between(0, race.racers.length - 1)]
        if (victim !== undefined && victim !== race.owner) await race.kill(victim)
      }
      const { owner } = race
      if (owner !== undefined && luck.happens(0.3)) {
        killedOwners += 1
        await race.kill(owner)
      } else {
        race.release()
      }
    }
    for (const racer of race.racers) racer.tell({ kind: 'stop' })
    await race.until('everybody has stopped', () => {
      race.release()
      return race.racers.every(({ isIdle }) => isIdle)
    })
  }
  t.deepEqual(race.violations, [])
  let epochs = 0
  for (const id of listTerminals(root)) epochs += await checkStory(t, root, id)
  const report = await verifyStore({ root })
  t.true(report.ok)
  t.log(
    `rounds=${roundsWanted} owners=${race.wins} epochs=${epochs} refused=${race.refusals} ` +
      `kills=${race.kills} killed_owners=${killedOwners} two_owners=0 stuck=0`,
  )
})

/** Compares what the owners wrote down with what the journal says. Returns the number of owners. */
async function checkStory(t: ExecutionContext, root: string, terminal: string): Promise<number> {
  let epoch = 0
  let owners = 0
  let opened = 0
  const sold = new Map<string, number>()
  for await (const record of inspectJournal({ root, terminal })) {
    if ('problem' in record) throw new Error(`${terminal}: ${record.problem}`)
    if (record.epoch !== epoch) {
      t.is(record.epoch, epoch + 1, `${terminal}: epochs do not rise one by one`)
      epoch = record.epoch
    }
    if (record.kind === 'TerminalOpened') {
      t.true(record.epoch > opened, `${terminal}: two owners with one epoch`)
      opened = record.epoch
      owners += 1
    }
    // A new owner writes a checkpoint before it signs; facts come only after that.
    if (record.fact !== undefined) t.is(record.epoch, opened, `${terminal}: a fact of nobody`)
    if (record.kind === 'SaleCompleted') {
      const reference = String(record.fact?.reference)
      t.true(reference.split('-')[1] === String(epoch), `${terminal}: ${reference} in ${epoch}`)
      sold.set(reference, (sold.get(reference) ?? 0) + 1)
    }
  }
  t.true([...sold.values()].every((times) => times === 1))
  // The signatures: whoever begins does so after the one before has ended or was killed, and what
  // an owner wrote down as sold is in the journal.
  const signatures = readFileSync(path.join(root, `${terminal}.owners`), 'utf8')
    .trim()
    .split('\n')
  let last = 0
  for (const signature of signatures) {
    const [what, pid, signed] = signature.split(' ')
    const mine = Number(signed)
    t.true(
      what === 'begin' ? mine > last : mine === last,
      `${terminal}: ${signature} after ${last}`,
    )
    last = mine
    if (what !== 'begin') t.is(sold.get(`${pid}-${mine}`), 1, `${terminal}: ${signature} is lost`)
    if (what === 'end') t.is(sold.get(`${pid}-${mine}-last`), 1)
  }
  return owners
}
