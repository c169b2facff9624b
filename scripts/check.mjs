/**
 * The house rules that a machine can read: which room may use which, what may not stand in a
 * tracked file, and that every room opens by saying what it is for. Reads sources only, builds
 * nothing, takes a moment; part of `npm test` and of the optional hook in scripts/hooks/.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { root, run } from './run.mjs'

/** crates/: each room and the rooms it may use. A room that is not listed fails the check. */
const crateRooms = {
  wal: [],
  espresso: [],
  isolate: ['espresso'],
  kernel: ['wal', 'espresso', 'isolate'],
  service: ['kernel'],
  capi: ['kernel', 'espresso', 'service'],
  node: ['kernel', 'espresso', 'isolate', 'service'],
  launch: [],
}

/** The pure rooms inside the kernel, and the modules of the kernel that each may use. */
const pureRooms = {
  money: ['code', 'error', 'limits'],
  policy: ['code', 'error', 'limits', 'money'],
  pricing: ['code', 'error', 'limits', 'money', 'policy'],
  rules: ['code', 'error', 'limits', 'money'],
}

/** ts/: the same. `index` is the public entry, `native` the one file that loads the binding. */
const typeScriptRooms = {
  native: [],
  auditor: [],
  wire: [],
  kernel: ['native'],
  host: ['native', 'kernel', 'wire'],
  mesh: ['kernel', 'wire'],
  cloud: ['wire'],
  script: ['kernel'],
  service: ['native', 'kernel', 'script'],
  index: ['kernel', 'service'],
  cli: ['kernel', 'script', 'service', 'host', 'mesh', 'cloud', 'wire'],
}

/** Crates that may hold no unsafe code at all. */
const safeCrates = ['wal', 'espresso', 'isolate', 'kernel', 'service']

/** An entry file opens with at least this many lines of text. */
const essayLinesMin = 5

const problems = []
const report = (file, text) => problems.push(`${file}: ${text}`)
const read = (file) => readFileSync(path.join(root, file), 'utf8')

const files = await projectFiles()
checkCrates()
checkPureRooms()
checkTypeScript()
checkEssays()
checkFileNames()
checkContents()
checkPackage()

for (const problem of problems) console.log(problem)
console.log(`check: ${files.length} files, ${problems.length} problems`)
process.exitCode = problems.length > 0 ? 1 : 0

/** Tracked files and those that the next commit could take; without git, everything that git would see. */
async function projectFiles() {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard']
  const { code, output } = await run('git', args, { capture: true })
  const names = code === 0 ? output.split('\n') : walk('')
  return [...new Set(names)]
    .filter((name) => name !== '' && existsSync(path.join(root, name)))
    .sort()
}

function walk(folder) {
  const skipped = ['node_modules', 'dist', 'target', '.git', '.setup', 'api']
  return readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = path.posix.join(folder, entry.name)
    if (entry.isDirectory()) return skipped.includes(entry.name) ? [] : walk(name)
    return name.endsWith('.node') ? [] : [name]
  })
}

function checkCrates() {
  const manifests = files.filter((name) => /^crates\/[^/]+\/Cargo\.toml$/.test(name))
  const roomOf = new Map()
  for (const file of manifests) {
    const name = /^\[package\][^[]*?^name\s*=\s*"([^"]+)"/ms.exec(read(file))?.[1]
    if (name === undefined) report(file, 'has no [package] name')
    else roomOf.set(name, file.split('/')[1])
  }
  for (const file of manifests) {
    const room = file.split('/')[1]
    const allowed = crateRooms[room]
    if (allowed === undefined) {
      report(file, `the room "${room}" is unknown; say in scripts/check.mjs what it may use`)
      continue
    }
    for (const dependency of dependenciesOf(read(file))) {
      const used = roomOf.get(dependency)
      // A crate may name itself among its dev-dependencies, to test with a feature switched on.
      if (used === undefined || used === room || allowed.includes(used)) continue
      report(file, `crates/${room} may not use crates/${used}`)
    }
  }
  for (const room of safeCrates) {
    const file = `crates/${room}/src/lib.rs`
    if (files.includes(file) && !read(file).includes('#![forbid(unsafe_code)]')) {
      report(file, 'must say #![forbid(unsafe_code)]')
    }
  }
}

/** What is pure uses nothing that knows of sales, terminals or disks. */
function checkPureRooms() {
  for (const [room, allowed] of Object.entries(pureRooms)) {
    const folder = `crates/kernel/src/${room}/`
    for (const file of files.filter((name) => name.startsWith(folder) && name.endsWith('.rs'))) {
      for (const found of read(file).matchAll(/\bcrate::(\w+)/g)) {
        if (found[1] === room || allowed.includes(found[1])) continue
        report(file, `the room "${room}" may not use crate::${found[1]}`)
      }
    }
  }
}

/** Package names in all dependency sections of a manifest. */
function dependenciesOf(manifest) {
  const names = []
  let isInside = false
  for (const line of manifest.split('\n')) {
    const section = /^\[([^\]]+)\]/.exec(line)?.[1]
    if (section !== undefined) {
      const single = /(?:^|\.)(?:dev-|build-)?dependencies\.([\w-]+)$/.exec(section)?.[1]
      if (single !== undefined) names.push(single)
      isInside = /(?:^|\.)(?:dev-|build-)?dependencies$/.test(section)
    }
    const renamed = /\bpackage\s*=\s*"([^"]+)"/.exec(line)?.[1]
    const key = isInside ? /^([\w-]+)[\s.]*.*=/.exec(line)?.[1] : undefined
    if (renamed !== undefined) names.push(renamed)
    else if (key !== undefined) names.push(key)
  }
  return names
}

function checkTypeScript() {
  for (const file of files.filter((name) => /^ts\/.*\.ts$/.test(name))) {
    const room = typeScriptRoomOf(file)
    const allowed = typeScriptRooms[room]
    if (allowed === undefined) {
      report(file, `the room "${room}" is unknown; say in scripts/check.mjs what it may use`)
      continue
    }
    for (const target of importsOf(read(file))) {
      if (target.startsWith('#native') || target.endsWith('.node')) {
        if (file !== 'ts/native.ts') report(file, 'only ts/native.ts may load the binding')
      } else if (target.startsWith('.')) {
        const used = path.posix.join(path.posix.dirname(file), target)
        if (!used.startsWith('ts/')) {
          report(file, `imports ${target}, which lies outside ts/`)
          continue
        }
        const usedRoom = typeScriptRoomOf(used)
        if (usedRoom !== room && !allowed.includes(usedRoom)) {
          report(file, `ts/${room} may not use ts/${usedRoom}`)
        }
      }
    }
  }
}

/** `ts/kernel/sale.ts` lies in the room `kernel`, `ts/native.ts` is a room by itself. */
function typeScriptRoomOf(file) {
  return file.split('/')[1].replace(/\.[jt]s$/, '')
}

function importsOf(source) {
  const code = source.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
  const statements = /\b(?:from|import|require)\s*\(?\s*(['"])([^'"\n]+)\1/g
  return [...code.matchAll(statements)].map((found) => found[2])
}

function checkEssays() {
  const entry = /^(?:crates\/.*\/(?:lib|mod|main)\.rs|ts\/(?:.*\/)?(?:index|main)\.ts)$/
  for (const file of files.filter((name) => entry.test(name) && !name.includes('/tests/'))) {
    const lines = read(file)
      .replace(/^#!.*\n/, '')
      .split('\n')
    let count = 0
    for (const line of lines) {
      if (!/^\s*(?:\/\/[!/]?|\/\*\*?|\*)/.test(line)) break
      if (/[a-z]/i.test(line)) count += 1
    }
    if (count < essayLinesMin) {
      report(
        file,
        `opens with ${count} lines of text; say what lives here in ${essayLinesMin} or more`,
      )
    }
  }
}

/** Names that say nothing, so that everything ends up behind them. */
function checkFileNames() {
  const vague = /(?:^|\/)(?:utils?|helpers?|common|misc|managers?)(?:\.[a-z.]+)?(?:\/|$)/
  for (const file of files.filter((name) => vague.test(name))) {
    report(file, 'the name says nothing; name the thing that lives here')
  }
}

function checkContents() {
  const isCode = /\.(?:rs|ts|mts|mjs|js|c|h|cs|py|sh|yml|toml)$|^\.ci\/|^scripts\//
  const isGenerated = /^(?:index\.js|index\.d\.ts|npm\/)/
  // The folders of whoever runs the check are the machine paths most likely to slip in.
  const own = [root, os.homedir()].filter((folder) => folder.split(path.sep).length > 1)
  const machinePath = new RegExp(
    [
      ...own.map(escaped).map((folder) => `${folder}(?![\\w-])`),
      '/(?:home|Users)/\\w+',
      '[A-Z]:\\\\Users',
    ].join('|'),
  )
  const registryHost = /https?:\/\/(?:registry|npm|index|static)\.[\w.-]+|"resolved":\s*"http/
  const unfinished = /\b(?:TO-?DO|FIX-?ME)\b|\b(?:to-?do|unimplemented)!\s*[([{]/
  for (const file of files) {
    if (file.startsWith('examples/data/') || isGenerated.test(file)) continue
    const bytes = readFileSync(path.join(root, file))
    if (bytes.includes(0)) continue
    for (const [index, line] of bytes.toString('utf8').split('\n').entries()) {
      const place = `${file}:${index + 1}`
      if (machinePath.test(line)) report(place, 'holds a path of one machine')
      if (registryHost.test(line)) report(place, 'names a package registry')
      if (isCode.test(file) && unfinished.test(line)) report(place, 'is marked as unfinished')
    }
  }
}

function checkPackage() {
  const manifest = JSON.parse(read('package.json'))
  for (const name of ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish']) {
    if (manifest.scripts?.[name] !== undefined) {
      report('package.json', `"${name}" would run on the machines of users; nothing may`)
    }
  }
  for (const group of ['dependencies', 'optionalDependencies', 'devDependencies']) {
    for (const [name, version] of Object.entries(manifest[group] ?? {})) {
      if (!/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))
        report('package.json', `${name} is not pinned: ${version}`)
    }
  }
  const versions = {
    'Cargo.toml': /^\[workspace\.package\][^[]*?^version\s*=\s*"([^"]+)"/ms.exec(
      read('Cargo.toml'),
    )?.[1],
    'package-lock.json': JSON.parse(read('package-lock.json')).version,
  }
  for (const file of files.filter((name) => /^npm\/[^/]+\/package\.json$/.test(name))) {
    versions[file] = JSON.parse(read(file)).version
  }
  for (const [file, version] of Object.entries(versions)) {
    if (version !== manifest.version) {
      report(file, `has version ${version}, package.json has ${manifest.version}`)
    }
  }
}

function escaped(text) {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
