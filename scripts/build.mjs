/**
 * Builds the parts: `native` (crates/ into pos-kernel.<platform>.node, index.js, index.d.ts, and on
 * Linux the launcher of the process host, pos-kernel-launch), `launch` (the launcher alone), `ts`
 * (ts/ into dist/, with the official client of FDC3 bundled), and by name only `capi` (the C library
 * into target/capi/, laid out as a prefix: include/, lib/, lib/pkgconfig/).
 *
 * Called by hand (`npm run build`, `build:native`, `build:ts`) it always builds; `setup.mjs` asks
 * `isNativeFresh` and `isTypeScriptFresh` first. It is also the way out for a platform without a
 * prebuilt binary: the sources ship in the package, and where the napi command is not installed
 * plain cargo builds the binary, because the loader `index.js` is already there.
 */
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { isMain, root, run, tool } from './run.mjs'

/** napi writes here first; the finished files are then renamed into place. */
const staging = path.join(root, '.setup', 'native')
const generated = ['index.js', 'index.d.ts']
/** The launcher of the process host: a program, for Linux alone. */
export const launchProgram = 'pos-kernel-launch'
const hasLauncher = process.platform === 'linux'
const nativeSources = ['Cargo.toml', 'Cargo.lock', 'package.json', 'crates']
const typeScriptSources = ['ts', 'tsconfig.json', 'tsconfig.build.json', 'index.d.ts']

/** True when no source is newer than the native binary. */
export function isNativeFresh() {
  const binary = nativeBinary()
  if (binary === undefined) return false
  if (!generated.every((name) => existsSync(path.join(root, name)))) return false
  const results = hasLauncher ? [binary, path.join(root, launchProgram)] : [binary]
  if (!results.every((name) => existsSync(name))) return false
  return newest(nativeSources) <= Math.min(...results.map((name) => statSync(name).mtimeMs))
}

/** True when no source is newer than dist/. */
export function isTypeScriptFresh() {
  const entry = path.join(root, 'dist', 'index.js')
  return existsSync(entry) && newest(typeScriptSources) <= statSync(entry).mtimeMs
}

/** Path of the binary that was built on this machine, or undefined. */
export function nativeBinary() {
  const name = readdirSync(root).find(isBinary)
  return name === undefined ? undefined : path.join(root, name)
}

/** Builds the binary, its loader, its types and the launcher. Returns true when that worked. */
export async function buildNative() {
  // The launcher first: what is asked for freshness is the older of the two.
  if (hasLauncher && !(await buildLauncher())) return false
  return buildBinding()
}

/** Builds the launcher of the process host. Returns true when that worked. */
export async function buildLauncher() {
  const args = ['build', '--release', '--locked', '-p', launchProgram, '--target-dir', 'target']
  const { code, output } = await run('cargo', args)
  if (code !== 0) {
    if (output !== '') console.error(output)
    return false
  }
  install(path.join(root, 'target', 'release', launchProgram), launchProgram)
  return true
}

async function buildBinding() {
  if (!existsSync(path.join(root, 'node_modules', '@napi-rs', 'cli'))) return buildWithCargo()
  rmSync(staging, { recursive: true, force: true })
  mkdirSync(staging, { recursive: true })
  const args = ['build', '--platform', '--release', '--esm']
  args.push('--manifest-path', 'crates/node/Cargo.toml', '--output-dir', '.setup/native')
  const { code, output } = await tool('@napi-rs/cli', 'napi', args)
  const binary = code === 0 ? readdirSync(staging).find(isBinary) : undefined
  if (binary === undefined) {
    if (output !== '') console.error(output)
    return false
  }
  for (const name of generated) {
    if (!sameContent(path.join(staging, name), path.join(root, name))) {
      copyFileSync(path.join(staging, name), path.join(root, name))
      console.log(`build: ${name} was regenerated`)
    }
  }
  install(path.join(staging, binary), binary)
  return true
}

/**
 * The official client of FDC3 is published for bundlers and cannot be imported by Node: a bundle of it takes
 * the place of the one module that names it.
 */
async function bundleFdc3Client() {
  const { build } = await import('esbuild')
  await build({
    entryPoints: [path.join(root, 'ts/host/fdc3/proxy.ts')],
    outfile: path.join(root, 'dist/host/fdc3/proxy.js'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    legalComments: 'inline',
    logLevel: 'warning',
  })
}

/** Compiles ts/ into an emptied dist/. Returns true when that worked. */
export async function buildTypeScript() {
  // Emptied first, so that a module that was removed from ts/ does not live on in the package.
  rmSync(path.join(root, 'dist'), { recursive: true, force: true })
  const { code, output } = await tool('typescript', 'tsc', ['-p', 'tsconfig.build.json'])
  if (code !== 0) {
    if (output !== '') console.error(output)
    return false
  }
  // The page of the dashboard is what browsers load as it is.
  const page = path.join('host', 'dashboard', 'page')
  cpSync(path.join(root, 'ts', page), path.join(root, 'dist', page), {
    recursive: true,
    filter: (name) => !/\.(?:json|d\.ts)$/.test(name),
  })
  await bundleFdc3Client()
  for (const room of ['cli', 'auditor']) {
    const command = path.join(root, 'dist', room, 'main.js')
    if (existsSync(command)) chmodSync(command, 0o755)
  }
  return true
}

/** Builds the C library and lays it out for hosts. Returns true when that worked. */
export async function buildCapi() {
  const args = ['build', '--release', '--locked', '-p', 'pos-kernel-capi', '--target-dir', 'target']
  const { code, output } = await run('cargo', args)
  if (code !== 0) {
    if (output !== '') console.error(output)
    return false
  }
  const prefix = path.join(root, 'target', 'capi')
  const lib = path.join(prefix, 'lib')
  const include = path.join(prefix, 'include')
  for (const folder of [include, path.join(lib, 'pkgconfig')])
    mkdirSync(folder, { recursive: true })
  const built = path.join(root, 'target', 'release')
  const names = ['libpos_kernel.so', 'libpos_kernel.dylib', 'libpos_kernel.a']
  names.push('pos_kernel.dll', 'pos_kernel.dll.lib', 'pos_kernel.lib')
  for (const name of names.filter((name) => existsSync(path.join(built, name)))) {
    replace(path.join(built, name), path.join(lib, name))
  }
  replace(path.join(root, 'crates/capi/include/pos_kernel.h'), path.join(include, 'pos_kernel.h'))
  const template = readFileSync(path.join(root, 'crates/capi/pos_kernel.pc.in'), 'utf8')
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
  const values = { prefix, version }
  const text = template.replace(/@(\w+)@/g, (_, name) => values[name])
  writeFileSync(path.join(lib, 'pkgconfig', 'pos_kernel.pc'), text)
  console.log(`build: ${path.relative(root, prefix)} (library, header, pkg-config file)`)
  return true
}

/** The source build of an installed package: no napi command, no node_modules of our own. */
async function buildWithCargo() {
  const args = ['build', '--release', '--locked', '--manifest-path', 'crates/node/Cargo.toml']
  const { code, output } = await run('cargo', [...args, '--target-dir', 'target'])
  if (code !== 0) {
    if (output !== '') console.error(output)
    return false
  }
  const library = {
    darwin: 'libpos_kernel_node.dylib',
    win32: 'pos_kernel_node.dll',
  }[process.platform]
  const built = path.join(root, 'target', 'release', library ?? 'libpos_kernel_node.so')
  install(built, `pos-kernel.${platformTriple()}.node`)
  return true
}

/**
 * Puts a binary in its place by rename. Writing over it would change the pages under a process that
 * has it mapped at that moment, and a running till would die of it.
 */
function install(from, name) {
  replace(from, path.join(root, name))
  console.log(`build: ${name} (${(statSync(path.join(root, name)).size / 1e6).toFixed(1)} MB)`)
}

function replace(from, to) {
  const temporary = `${to}.${process.pid}.new`
  copyFileSync(from, temporary)
  renameSync(temporary, to)
}

/** The platform part of a binary's name, as the generated loader looks for it. */
function platformTriple() {
  const { platform, arch } = process
  if (platform === 'darwin') return `darwin-${arch}`
  if (platform === 'win32') return `win32-${arch}-msvc`
  const isGlibc = process.report.getReport().header.glibcVersionRuntime !== undefined
  return `${platform}-${arch}-${isGlibc ? 'gnu' : 'musl'}`
}

function isBinary(name) {
  return name.startsWith('pos-kernel.') && name.endsWith('.node')
}

function sameContent(a, b) {
  return existsSync(a) && existsSync(b) && readFileSync(a).equals(readFileSync(b))
}

/**
 * Latest modification time below the given paths, in milliseconds; 0 when none exists. Folders
 * count too, since a file that was removed leaves no other trace.
 */
function newest(names) {
  let latest = 0
  const pending = names.map((name) => path.join(root, name))
  for (const entry of pending) {
    const found = statSync(entry, { throwIfNoEntry: false })
    if (found === undefined) continue
    latest = Math.max(latest, found.mtimeMs)
    if (!found.isDirectory()) continue
    for (const name of readdirSync(entry)) {
      if (name !== 'target') pending.push(path.join(entry, name))
    }
  }
  return latest
}

if (isMain(import.meta.url)) {
  const wanted = process.argv.slice(2)
  const steps = {
    native: buildNative,
    launch: buildLauncher,
    ts: buildTypeScript,
    capi: buildCapi,
  }
  const usual = ['native', 'ts']
  const unknown = wanted.filter((name) => !(name in steps))
  if (unknown.length > 0) {
    console.error(`build: no such part: ${unknown.join(', ')}; parts are: native, launch, ts, capi`)
    process.exit(2)
  }
  for (const [name, build] of Object.entries(steps)) {
    if (!(wanted.length > 0 ? wanted : usual).includes(name)) continue
    console.log(`build: ${name}`)
    if (!(await build())) {
      console.error(`build: ${name} failed`)
      process.exit(1)
    }
  }
}
