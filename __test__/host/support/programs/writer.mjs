/** An app of tests that writes to whomever the file `to` in its folder names, and leaves what came of it in `code`. */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { connectHost } from '../../../../dist/host/app/index.js'

const host = await connectHost()
const bus = await host.bus()
const [order, answer] = ['to', 'code'].map((name) => path.join(host.dataFolder, name))
let isBusy = false
setInterval(async () => {
  if (isBusy || !existsSync(order)) return
  isBusy = true
  const to = readFileSync(order, 'utf8')
  rmSync(order)
  const code = await bus.send(to, Buffer.from('hello')).then(
    () => 'none',
    (error) => error.code,
  )
  writeFileSync(`${answer}.new`, code)
  renameSync(`${answer}.new`, answer)
  isBusy = false
}, 5)
host.ready()
