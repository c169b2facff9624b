/**
 * Builds the programs that prove the C library, into target/hosts/: the hosts of examples/ (C and
 * C#), the C programs of crates/capi/tests/c, and one in Rust to count the cost of the C door
 * against. Those in C are built twice, the second time with the address and the undefined-behaviour
 * sanitizers (`NAME-sanitized`).
 *
 * A compiler that is missing is installed when root may do so on Debian. Where that cannot be, what
 * it would have built is left out, this says so, and the tests that need it are counted as skipped.
 * Something that does not compile is a failure.
 */
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { has, installTools } from './packages.mjs'
import { isMain, root, run } from './run.mjs'

const prefix = path.join(root, 'target', 'capi')
const hosts = path.join(root, 'target', 'hosts')
const strict = ['-std=c11', '-O1', '-g', '-Wall', '-Wextra', '-Wpedantic', '-Werror', '-pthread']
const sanitizers = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all']

/** What is needed, and the Debian packages that bring it. */
const tools = [
  { command: 'gcc', packages: ['gcc', 'libc6-dev'] },
  { command: 'g++', packages: ['g++'] },
  { command: 'python3', packages: ['python3'] },
  { command: 'pkg-config', packages: ['pkgconf'] },
  { command: 'valgrind', packages: ['valgrind'] },
  { command: 'mcs', packages: ['mono-mcs'] },
  { command: 'mono', packages: ['mono-runtime', 'libmono-system-core4.0-cil'] },
]

/** Builds everything that this machine can build. Returns false when something does not compile. */
export async function buildHosts() {
  if (process.platform === 'win32') {
    console.log('hosts: SKIPPED, because they are built with gcc and mono')
    return true
  }
  await installTools('hosts', tools)
  rmSync(hosts, { recursive: true, force: true })
  mkdirSync(hosts, { recursive: true })
  const results = [await buildC(), await buildSharp(), await buildRust()]
  return results.every(Boolean)
}

async function buildC() {
  if (!(await has('gcc'))) return leftOut('the C programs', 'gcc')
  const folders = ['examples/c', 'crates/capi/tests/c']
  const sources = folders.flatMap((folder) =>
    readdirSync(path.join(root, folder))
      .filter((name) => name.endsWith('.c'))
      .map((name) => path.join(folder, name)),
  )
  for (const source of sources) {
    const name = path.basename(source, '.c')
    if (!(await compile(source, name, []))) return false
    if (!(await compile(source, `${name}-sanitized`, sanitizers))) return false
  }
  console.log(`hosts: ${sources.length} programs in C, each also with sanitizers`)
  return true
}

async function compile(source, name, more) {
  const lib = path.join(prefix, 'lib')
  const args = [...strict, ...more, `-I${path.join(prefix, 'include')}`, source]
  args.push('-o', path.join(hosts, name), `-L${lib}`, `-Wl,-rpath,${lib}`, '-lpos_kernel')
  return succeeded(await run('gcc', args, { capture: true }))
}

async function buildSharp() {
  if (!(await has('mcs'))) return leftOut('the C# host', 'mcs')
  const folder = path.join(root, 'examples', 'dotnet')
  const args = ['-unsafe', '-warnaserror', '-debug', `-out:${path.join(hosts, 'host.exe')}`]
  for (const name of ['RustNative.cs', 'PosTerminalClient.cs', 'Program.cs']) {
    args.push(path.join(folder, name))
  }
  if (!succeeded(await run('mcs', args, { capture: true }))) return false
  console.log('hosts: the C# host')
  return true
}

/** The sales of `cost.c` without the C door; only valgrind has a use for it. */
async function buildRust() {
  if (!(await has('valgrind'))) return leftOut('the sales in Rust', 'valgrind')
  const args = ['build', '--release', '--locked', '-p', 'pos-kernel-core', '--example', 'sales']
  const { code } = await run('cargo', [...args, '--target-dir', 'target'])
  if (code !== 0) return false
  const built = path.join(root, 'target', 'release', 'examples', 'sales')
  copyFileSync(built, path.join(hosts, 'sales-in-rust'))
  console.log('hosts: the sales in Rust')
  return true
}

function succeeded({ code, output }) {
  if (code !== 0) console.error(output)
  return code === 0
}

function leftOut(what, tool) {
  console.log(`hosts: SKIPPED ${what}, because ${tool} is not installed`)
  return true
}

if (isMain(import.meta.url)) process.exitCode = (await buildHosts()) ? 0 : 1
