// Builds what `bench sale` compares with: `node bench/setup.mjs [native] [peers] [shim]` (default:
// these three), and with `logic` what the minimiser is compared with. Does nothing that is done
// already, and prints what it does.
//
//   native  the Rust program with SQLite, LMDB and RocksDB, all from source (many minutes, once)
//   peers   the npm packages in bench/peers (better-sqlite3 is compiled here)
//   shim    the library that makes every flush slower, or skips it
//   logic   the C program, from the sources in the crate espresso-logic, and the Rust program

import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const NATIVE = join(HERE, 'native')
const PEERS = join(HERE, 'peers')
const LOGIC = join(HERE, 'logic')
/** Where Debian puts the headers of its own Node. */
const SYSTEM_HEADERS = '/usr/include/node/node_version.h'

/** The program that `setupNative` builds. */
export const NATIVE_PROGRAM = join(NATIVE, 'target', 'release', 'bench-sale-native')
/** Where `setupLogic` puts the minimiser's benchmark. */
export const LOGIC_PROGRAM = join(LOGIC, 'target', 'release', 'bench-logic')

/** Builds the native program. Needs cargo, a C++ compiler and libclang (for RocksDB's bindings). */
export function setupNative() {
  needed('cargo', ['cargo', '--version'], 'install Rust, https://rustup.rs')
  const missing = []
  if (!answers(['g++', '--version'])) missing.push('g++')
  if (!hasLibclang()) missing.push('libclang-dev')
  if (missing.length > 0) installPackages(missing)
  say('native: cargo build --release (the first time compiles RocksDB: many minutes)')
  run('cargo', ['build', '--release', '--locked', '-j', '2'], { cwd: NATIVE })
}

/** Installs the npm packages of the peers. */
export function setupPeers() {
  const installed = join(PEERS, 'node_modules', '.package-lock.json')
  const lock = join(PEERS, 'package-lock.json')
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) {
    say('peers: installed already')
    return
  }
  const environment = { ...process.env }
  // With the headers of this very Node at hand, node-gyp needs no download of them.
  if (systemHeadersFit()) environment.npm_config_nodedir = '/usr'
  say('peers: npm ci (compiles better-sqlite3: a minute or two)')
  run('npm', ['ci', '--no-fund', '--no-audit'], { cwd: PEERS, env: environment })
}

/** Builds the flush shim. */
export function setupShim() {
  if (!answers(['gcc', '--version'])) installPackages(['gcc', 'libc6-dev'])
  say('shim: native/shim/build.sh')
  run('sh', [join(NATIVE, 'shim', 'build.sh')], {})
}

/** Builds the minimiser's benchmark and the C program beside it, both optimised. */
export function setupLogic() {
  needed('cargo', ['cargo', '--version'], 'install Rust, https://rustup.rs')
  const missing = []
  if (!answers(['gcc', '--version'])) missing.push('gcc', 'libc6-dev')
  if (!hasLibclang()) missing.push('libclang-dev')
  if (missing.length > 0) installPackages(missing)
  say('logic: cargo build --release')
  run('cargo', ['build', '--release', '--locked', '-j', '2'], { cwd: LOGIC })
  const options = { cwd: LOGIC, encoding: 'utf8', maxBuffer: 1 << 28 }
  const metadata = execFileSync('cargo', ['metadata', '--format-version', '1', '--locked'], options)
  const crate = JSON.parse(metadata).packages.find((found) => found.name === 'espresso-logic')
  const sources = join(dirname(crate.manifest_path), 'espresso-src')
  const files = readdirSync(sources).filter((name) => name.endsWith('.c'))
  say('logic: gcc -O2, the C program')
  const program = join(LOGIC, 'target', 'espresso-c')
  run('gcc', ['-O2', '-std=gnu11', '-w', '-o', program, ...files, '-lm'], { cwd: sources })
}

function installPackages(names) {
  const command = `apt-get install -y --no-install-recommends ${names.join(' ')}`
  if (process.getuid?.() !== 0 || !answers(['apt-get', '--version'])) {
    throw new Error(`${names.join(' and ')} missing; run: sudo ${command}`)
  }
  say(command)
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  run('apt-get', ['update', '-q'], { env: environment })
  run('apt-get', command.split(' ').slice(1), { env: environment })
}

/** bindgen loads libclang when RocksDB's crate is built; libclang-cpp is another library. */
function hasLibclang() {
  if (process.env.LIBCLANG_PATH) return true
  const folders = ['/usr/lib', '/usr/lib64', '/usr/local/lib', ...below('/usr/lib')]
  for (const folder of below('/usr/lib')) folders.push(join(folder, 'lib'))
  return folders.some((folder) => list(folder).some((name) => /^libclang(-\d+)?\.so/.test(name)))
}

function below(folder) {
  return list(folder)
    .filter((name) => /^llvm|-linux-/.test(name))
    .map((name) => join(folder, name))
}

function list(folder) {
  try {
    return readdirSync(folder)
  } catch {
    // A folder that is not there holds nothing.
    return []
  }
}

function systemHeadersFit() {
  if (!existsSync(SYSTEM_HEADERS)) return false
  const text = readFileSync(SYSTEM_HEADERS, 'utf8')
  const part = (name) => new RegExp(`#define NODE_${name}_VERSION (\\d+)`).exec(text)?.[1]
  return `${part('MAJOR')}.${part('MINOR')}.${part('PATCH')}` === process.versions.node
}

function needed(name, command, advice) {
  if (!answers(command)) throw new Error(`${name} is missing; ${advice}`)
}

function answers([program, ...rest]) {
  try {
    execFileSync(program, rest, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Output goes to standard error: a caller's standard output is for results. */
function run(program, given, options) {
  execFileSync(program, given, { stdio: ['ignore', 2, 2], ...options })
}

function say(text) {
  process.stderr.write(`${text}\n`)
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const steps = { native: setupNative, peers: setupPeers, shim: setupShim, logic: setupLogic }
  const wanted = process.argv.length > 2 ? process.argv.slice(2) : ['shim', 'peers', 'native']
  try {
    for (const name of wanted) {
      if (!Object.hasOwn(steps, name)) throw new Error(`no such step: ${name}`)
      steps[name]()
    }
  } catch (error) {
    process.stderr.write(`setup: ${error.message}\n`)
    process.exitCode = 1
  }
}
