/** An app of the tests of Electron's launcher: does what the first argument says once it was told who it is. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'

process.once('message', (message) => {
  const bootstrap = message['pos-kernel-bootstrap']
  writeFileSync(path.join(bootstrap.dataFolder, 'said.json'), JSON.stringify(bootstrap))
  const [behaviour, code] = process.argv.slice(2)
  if (behaviour === 'exit') process.exit(Number(code))
  if (behaviour === 'abort') process.abort()
  setInterval(() => undefined, 1000)
})
