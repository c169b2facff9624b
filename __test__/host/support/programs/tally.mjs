/**
 * An app of tests that counts, and whose state is its count. What it does it writes into the file of `ledger=`, a line each:
 *
 * ```text
 * loaded <instance>          it runs, and has not asked for its state yet
 * from <instance> <count>    the count that it began from
 * did <instance> <count>     the count is durable; only with `durable`
 * draining <instance>        it was asked to drain
 * kept <instance> <count>    the count that it is about to leave
 * ```
 * With `gate=` it drains when there is a file of that name. The run of `fails=`, with `*` every run, ends with an error as
 * soon as it has its state, that of `fails-early=` before it asks for it.
 */
import { appendFileSync, existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { connectHost } from '../../../../dist/host/app/index.js'

const args = process.argv.slice(2)
const option = (name) => args.find((arg) => arg.startsWith(`${name}=`))?.slice(name.length + 1)
const host = await connectHost()
const { instance } = host
const say = (...words) => appendFileSync(option('ledger'), `${words.join(' ')}\n`)

say('loaded', instance)
if (option('fails-early') === instance) process.exit(7)
const { value: count = 0 } = await host.state.restore()
say('from', instance, count)
if ([instance, '*'].includes(option('fails'))) process.exit(7)

let now = count
let isOver = false
host.state.keep(() => now)
host.onDrain(async () => {
  say('draining', instance)
  while (option('gate') !== undefined && !existsSync(option('gate'))) await delay(5)
  isOver = true
  await working
  say('kept', instance, now)
})
const working = work()
host.ready()

async function work() {
  while (!isOver) {
    now += 1
    if (args.includes('durable')) {
      await host.state.save(now)
      say('did', instance, now)
    }
    await delay(1)
  }
}
