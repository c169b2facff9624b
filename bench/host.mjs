/**
 * The process host, part by part: `node bench/host.mjs [part] [--quick] [--json]`. Each part is a file of `bench/host`
 * and runs in a process of its own; without a name all of them run, one after the other.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean' }, json: { type: 'boolean' } },
  allowPositionals: true,
})
const folder = new URL('host/', import.meta.url)
const parts = readdirSync(folder)
  .filter((name) => name.endsWith('.mjs') && !name.endsWith('-child.mjs'))
  .map((name) => name.slice(0, -'.mjs'.length))
const chosen = positionals.length === 0 ? parts : positionals
for (const part of chosen) {
  if (!parts.includes(part)) {
    console.error(`there is no part "${part}" of the host; there are ${parts.join(', ')}`)
    process.exit(2)
  }
}
if (!existsSync(new URL('../dist/host/index.js', import.meta.url))) {
  console.error('dist/host is not there: run "npm run build:ts"')
  process.exit(1)
}
const flags = Object.keys(values).map((name) => `--${name}`)
for (const part of chosen) {
  const file = fileURLToPath(new URL(`${part}.mjs`, folder))
  const { status } = spawnSync(process.execPath, [file, ...flags], { stdio: 'inherit' })
  if (status !== 0) process.exitCode = 1
}
