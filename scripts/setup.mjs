/**
 * Everything between a fresh clone and a program that runs: checks the toolchain, installs the
 * packages, builds the native binary and dist/. `npm start` and `npm test` begin with it.
 *
 * Idempotent: each step asks first whether its result is older than what it is made of, so a second
 * run takes a fraction of a second. Only Node builtins may be imported here.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { buildNative, buildTypeScript, isNativeFresh, isTypeScriptFresh } from './build.mjs'
import { isMain, npm, root, run } from './run.mjs'

const nodeMin = [20, 19]
const cargoMin = [1, 89]

/**
 * Brings the working folder to a runnable state and says on stdout what it does.
 *
 * @returns {Promise<boolean>} false when a step failed; the reason is on stderr
 */
export async function setup() {
  const began = performance.now()
  const problems = await toolProblems()
  if (problems.length > 0) {
    for (const problem of problems) console.error(`setup: ${problem}`)
    return false
  }
  const steps = [
    ['packages', arePackagesFresh, installPackages],
    ['native binding', isNativeFresh, buildNative],
    ['TypeScript', isTypeScriptFresh, buildTypeScript],
  ]
  const did = []
  for (const [name, isFresh, make] of steps) {
    if (isFresh()) continue
    console.log(`setup: ${name} ...`)
    if (!(await make())) {
      console.error(`setup: ${name} failed; the reason stands above`)
      return false
    }
    did.push(name)
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  console.log(`setup: ${did.length === 0 ? 'nothing to do' : did.join(', ')} (${seconds} s)`)
  return true
}

/** What is missing or too old on this machine, one sentence each. */
async function toolProblems() {
  const problems = []
  if (!isAtLeast(process.versions.node, nodeMin)) {
    problems.push(
      `Node ${process.versions.node} is too old: ${nodeMin.join('.')} or newer is needed. ` +
        'Get it from https://nodejs.org, then run the same command again.',
    )
  }
  const cargo = await run('cargo', ['--version'], { capture: true })
  const cargoVersion = /^cargo (\d+\.\d+\.\d+)/.exec(cargo.output)?.[1]
  const rustup =
    'Install or update Rust with rustup (https://rustup.rs), then run the same command again.'
  if (cargoVersion === undefined) {
    problems.push(
      `cargo was not found (${cargo.output.trim()}): ${cargoMin.join('.')} or newer is needed. ${rustup}`,
    )
  } else if (!isAtLeast(cargoVersion, cargoMin)) {
    problems.push(
      `cargo ${cargoVersion} is too old: ${cargoMin.join('.')} or newer is needed. ${rustup}`,
    )
  }
  if (process.platform === 'linux') {
    const linker = process.env.CC ?? 'cc'
    const { code } = await run(linker, ['--version'], { capture: true })
    if (code !== 0) {
      problems.push(
        `the C compiler "${linker}", which Rust links with, was not found. ` +
          'Install it (Debian: apt-get install gcc libc6-dev), then run the same command again.',
      )
    }
  }
  if (problems.length === 0) {
    console.log(`setup: node ${process.versions.node}, cargo ${cargoVersion}`)
  }
  return problems
}

/** True when node_modules/ was installed from the lockfile as it is now. */
function arePackagesFresh() {
  const installed = path.join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(installed)) return false
  return statSync(path.join(root, 'package-lock.json')).mtimeMs <= statSync(installed).mtimeMs
}

async function installPackages() {
  const args = ['ci', '--include=dev', '--include=optional', '--loglevel=error']
  const { code, output } = await npm(args, { env: { ...process.env, ...headersBesideNode() } })
  if (code !== 0 && output !== '') console.error(output)
  return code === 0
}

/**
 * fs-ext, an optional dependency, is compiled at install and would download Node's headers. Most
 * installations of Node carry them already: tell node-gyp so, unless the user did, and only when
 * they are the headers of this very version.
 */
function headersBesideNode() {
  const asked = Object.keys(process.env).some((name) => /^npm_.*_nodedir$/i.test(name))
  const prefix = path.resolve(path.dirname(process.execPath), '..')
  const header = path.join(prefix, 'include', 'node', 'node_version.h')
  if (asked || !existsSync(header)) return {}
  const text = readFileSync(header, 'utf8')
  const version = ['MAJOR', 'MINOR', 'PATCH'].map(
    (part) => new RegExp(`#define NODE_${part}_VERSION (\\d+)`).exec(text)?.[1],
  )
  return version.join('.') === process.versions.node ? { npm_config_nodedir: prefix } : {}
}

function isAtLeast(version, [major, minor]) {
  const [foundMajor = 0, foundMinor = 0] = version.split('.').map(Number)
  return foundMajor > major || (foundMajor === major && foundMinor >= minor)
}

if (isMain(import.meta.url)) process.exitCode = (await setup()) ? 0 : 1
