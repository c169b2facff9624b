/**
 * Programs of the system that tests need: a compiler, a browser, a kernel in user mode. What is missing is installed
 * when root may do so on Debian; elsewhere this says what would have to be, and the tests that need it are counted as
 * skipped. Called by itself it sees to what the tests of the process host need.
 */
import { existsSync } from 'node:fs'
import { isMain, run } from './run.mjs'

/** What the tests of the process host need, and the Debian packages that bring it. */
const hostTools = [
  { command: 'chromium', packages: ['chromium', 'fonts-dejavu-core'] },
  { command: 'linux.uml', packages: ['user-mode-linux'] },
]

/** Installs those of `tools` that are missing. `who` begins each line that is printed. */
export async function installTools(who, tools) {
  const missing = []
  for (const tool of tools) if (!(await has(tool.command))) missing.push(tool)
  if (missing.length === 0) return
  const packages = missing.flatMap((tool) => tool.packages)
  const mayInstall = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')
  if (!mayInstall) {
    console.log(`${who}: not installed, because only root on Debian may: ${packages.join(' ')}`)
    return
  }
  console.log(`${who}: installing ${packages.join(' ')}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  await run('apt-get', ['update', '-qq'], { env, capture: true })
  const args = ['install', '-y', '-qq', '--no-install-recommends', ...packages]
  const { code, output } = await run('apt-get', args, { env, capture: true })
  if (code !== 0) console.log(`${who}: apt-get could not install them:\n${output}`)
}

/** True when a command is there. */
export async function has(command) {
  return (await run(command, ['--version'], { capture: true })).code === 0
}

if (isMain(import.meta.url)) await installTools('packages', hostTools)
