// `bench rules`: what rule tables cost to compile and to ask, and the goals.
//
//   node bench/rules.mjs [--json]

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const cwd = fileURLToPath(new URL('..', import.meta.url))
const build = ['run', '--release', '--quiet', '-p', 'pos-kernel-core', '--example', 'rules', '--']
const { status } = spawnSync('cargo', [...build, ...process.argv.slice(2)], {
  cwd,
  stdio: ['ignore', 'inherit', 'inherit'],
})
process.exitCode = status ?? 1
