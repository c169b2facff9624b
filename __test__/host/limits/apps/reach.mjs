/** An app of the tests of boundaries: tries what its argument lists, and writes down how each went. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { connect } from 'node:net'

const wanted = JSON.parse(process.argv[2])
const results = {}

/** `ok`, or the code of the error. */
function note(name, act) {
  try {
    act()
    results[name] = 'ok'
  } catch (error) {
    results[name] = error.code ?? String(error)
  }
}

/** A connection to a socket or a port; what is refused by nobody listening is within reach. */
function reachable(where) {
  return new Promise((resolve) => {
    const socket = connect(where, () => {
      socket.destroy()
      resolve('ok')
    })
    socket.once('error', (error) => resolve(error.code))
  })
}

for (const [name, file] of Object.entries(wanted.read ?? {})) note(name, () => readFileSync(file))
for (const [name, folder] of Object.entries(wanted.list ?? {}))
  note(name, () => readdirSync(folder))
for (const [name, file] of Object.entries(wanted.write ?? {}))
  note(name, () => writeFileSync(file, 'x'))
for (const [name, pid] of Object.entries(wanted.signal ?? {}))
  note(name, () => process.kill(pid, 0))
for (const [name, where] of Object.entries(wanted.connect ?? {}))
  results[name] = await reachable(where)
for (const [name, module] of Object.entries(wanted.load ?? {}))
  note(name, () => createRequire(import.meta.url)(module))
for (const [name, command] of Object.entries(wanted.run ?? {})) {
  const { status, stdout, error } = spawnSync('/bin/sh', ['-c', command], { encoding: 'utf8' })
  results[name] = error?.code ?? (status === 0 ? stdout.trim() : `exit ${status}`)
}
results.user = `${process.getuid()}:${process.getgid()}:${process.getgroups().join()}`

writeFileSync('results.json.new', JSON.stringify(results))
renameSync('results.json.new', 'results.json')
setInterval(() => undefined, 1000)
