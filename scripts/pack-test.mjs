/**
 * Proves the package as a user meets it: packs it, installs it in an empty folder without running
 * any install script, sells something from an ES module and from CommonJS, lets both verifiers
 * look at it, and starts an app under a host.
 *
 * The binary travels as it will when published, in the platform package of npm/<platform>/, packed
 * here with the binary that was built on this machine and installed beside the main package.
 */
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { launchProgram, nativeBinary } from './build.mjs'
import { npm, root, run } from './run.mjs'

const program = `
const terminal = await openTerminal({ root: process.argv[2], id: 'TILL_01' })
const receipt = await terminal.sell({
  store: 'corner-shop',
  currency: 'EUR',
  lines: [{ sku: 'coffee', quantity: 2, unitPrice: 320 }, { sku: 'cake', quantity: 1, unitPrice: 450 }],
  tenders: [{ kind: 'cash', amount: 2000 }],
})
console.log(\`receipt \${receipt.receiptNumber}: \${receipt.gross} cents, change \${receipt.change}\`)
await terminal.close()
`

const programs = {
  'sell.mjs': `import { openTerminal } from 'pos-kernel'\n${program}`,
  'sell.cjs': `const { openTerminal } = require('pos-kernel')\nasync function main() {${program}}\nmain()\n`,
}

/** An app, and the host that supervises it: the launcher, the broker and the desktop agent are found where they are installed. */
const hostPrograms = {
  'app.mjs': `import { connectHost } from 'pos-kernel/host/app'
import { getAgent } from 'pos-kernel/host/fdc3'
const host = await connectHost()
const agent = await getAgent()
const { fdc3Version } = await agent.getInfo()
console.log('FDC3 ' + fdc3Version)
host.ready()
`,
  'host.mjs': `import { readFileSync } from 'node:fs'
import { startHost } from 'pos-kernel/host'
const root = process.argv[2]
const startup_app = { uuid: 'app', name: 'App', script: './app.mjs' }
const host = await startHost({ root, manifest: { apps: [{ startup_app, start: 'lazy', fdc3: {} }] } })
await host.ask('start', { uuid: 'app' })
const [{ state }] = host.status().apps.filter(({ uuid }) => uuid === 'app')
await host.close()
console.log(state + ', ' + readFileSync(root + '/host/apps/app/log/out.log', 'utf8').trim())
`,
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'pos-kernel-pack-'))
try {
  await packAndSell()
  console.log('pack-test: the packed package installs, sells and supervises')
} catch (error) {
  console.error(`pack-test: ${error.message}`)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function packAndSell() {
  const main = await pack(root)
  const stray = main.files.filter((name) => name.endsWith('.node') || name === launchProgram)
  if (stray.length > 0) throw new Error(`the main package must not carry ${stray.join(', ')}`)
  const platform = await pack(platformPackage())

  const shop = path.join(folder, 'shop')
  mkdirSync(shop)
  writeFileSync(path.join(shop, 'package.json'), '{"private":true}\n')
  const flags = [
    '--ignore-scripts',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]
  await must(
    npm(['install', ...flags, main.tarball, platform.tarball], { cwd: shop, capture: true }),
  )

  // A workspace whose sources are packed only in part cannot be read by cargo.
  const installed = path.join(shop, 'node_modules', 'pos-kernel')
  const metadata = ['metadata', '--no-deps', '--offline', '--format-version=1']
  await must(run('cargo', metadata, { cwd: installed, capture: true }))

  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('POS_')),
  )
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(path.join(shop, name), text)
    const said = await must(
      run(process.execPath, [name, `store-${name}`], { cwd: shop, env, capture: true }),
    )
    const expected = 'receipt 1: 1090 cents, change 910'
    if (said.trim() !== expected)
      throw new Error(`${name} said "${said.trim()}", not "${expected}"`)
    console.log(`pack-test: ${name}: ${said.trim()}`)
    for (const verify of [['cli', 'verify'], ['auditor']]) {
      const [room, ...command] = verify
      const main = path.join(installed, 'dist', room, 'main.js')
      const args = [main, ...command, '--root', `store-${name}`]
      await must(run(process.execPath, args, { cwd: shop, env, capture: true }))
    }
  }
  if (process.platform === 'linux') await supervise(shop, env)
}

/** A host of the installed package starts an app that finds the desktop agent. */
async function supervise(shop, env) {
  for (const [name, text] of Object.entries(hostPrograms))
    writeFileSync(path.join(shop, name), text)
  const said = await must(
    run(process.execPath, ['host.mjs', 'store-host'], { cwd: shop, env, capture: true }),
  )
  const expected = 'ready, FDC3 2.2'
  if (said.trim() !== expected) throw new Error(`host.mjs said "${said.trim()}", not "${expected}"`)
  console.log(`pack-test: host.mjs: ${said.trim()}`)
}

/** A copy of the stub in npm/ for this platform, with the binary that was built here. */
function platformPackage() {
  const binary = nativeBinary()
  if (binary === undefined) throw new Error('there is no native binary; run "npm run build:native"')
  const name = path.basename(binary)
  const platform = name.slice('pos-kernel.'.length, -'.node'.length)
  const stub = path.join(root, 'npm', platform)
  if (!existsSync(stub))
    throw new Error(`there is no npm/${platform}; add its target to package.json`)
  const copy = path.join(folder, platform)
  cpSync(stub, copy, { recursive: true })
  copyFileSync(binary, path.join(copy, name))
  const launcher = path.join(root, launchProgram)
  if (existsSync(launcher)) copyFileSync(launcher, path.join(copy, launchProgram))
  return copy
}

async function pack(from) {
  const args = [
    'pack',
    '--json',
    '--ignore-scripts',
    '--loglevel=error',
    '--pack-destination',
    folder,
  ]
  const said = await must(npm(args, { cwd: from, capture: true }))
  const [report] = JSON.parse(said)
  const megabytes = (report.size / 1e6).toFixed(1)
  console.log(`pack-test: ${report.filename}: ${report.entryCount} files, ${megabytes} MB`)
  return {
    tarball: path.join(folder, report.filename),
    files: report.files.map((file) => file.path),
  }
}

async function must(running) {
  const { code, output, stdout } = await running
  if (code !== 0) throw new Error(`a step ended with exit code ${code}:\n${output}`)
  return stdout
}
