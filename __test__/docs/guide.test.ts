/** The guide does what it says: its programs run, its commands run, the tests it names exist. */
import { spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { type Ended, ended, projectRoot } from '../support/child.js'
import { tempStore } from '../support/store.js'

const guide = path.join(projectRoot, 'docs/guide')
const pages = readdirSync(guide).filter((name) => name.endsWith('.md'))

/** The fenced blocks of a language. */
function blocks(page: string, language: string): string[] {
  const text = readFileSync(path.join(guide, page), 'utf8')
  const fence = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm')
  return [...text.matchAll(fence)].map(([, code]) => code ?? '')
}

/** An empty project that has the package installed, and its command in `bin/`. */
function project(t: ExecutionContext): string {
  const folder = tempStore(t)
  mkdirSync(path.join(folder, 'node_modules'))
  symlinkSync(projectRoot, path.join(folder, 'node_modules/pos-kernel'))
  mkdirSync(path.join(folder, 'bin'))
  const command = path.join(folder, 'bin/pos-kernel')
  const main = path.join(projectRoot, 'dist/cli/main.js')
  writeFileSync(command, `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`)
  chmodSync(command, 0o755)
  return folder
}

function run(cwd: string, command: string, args: readonly string[]): Promise<Ended> {
  const { NODE_OPTIONS: _, ...inherited } = process.env
  const env = { ...inherited, PATH: `${cwd}/bin:${inherited.PATH}` }
  return ended(spawn(command, args, { cwd, env, stdio: 'pipe' }))
}

for (const page of pages) {
  const programs = blocks(page, 'js')
  if (programs.length === 0) continue
  test(`${page}: its programs run and print what they say`, async (t) => {
    const folder = project(t)
    for (const [index, program] of programs.entries()) {
      const file = path.join(folder, `program-${index}.mjs`)
      writeFileSync(file, program)
      const { code, stdout, stderr } = await run(folder, process.execPath, [file])
      t.is(stderr, '', program)
      t.is(code, 0, program)
      // `console.log(x) // what it prints`
      const printed = [...program.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)]
      t.deepEqual(
        stdout.trim().split('\n'),
        printed.length === 0 ? [''] : printed.map(([, text]) => text),
      )
    }
  })
}

const testWithShell = process.platform === 'win32' ? test.skip : test

testWithShell('commands.md: its commands run, one after the other', async (t) => {
  const folder = project(t)
  const commands = blocks('commands.md', 'sh')
  t.true(commands.length >= 4)
  for (const command of commands) {
    const { code, stdout, stderr } = await run(folder, 'sh', ['-e', '-c', command])
    t.is(code, 0, `${command}\n${stdout}\n${stderr}`)
    t.notRegex(stdout, /"ok":false/)
  }
})

test('durability.md: every test that it names exists', (t) => {
  const text = readFileSync(path.join(guide, 'durability.md'), 'utf8')
  const rows = text.split('\n').filter((line) => /^\| .*(?:crates|__test__)\//.test(line))
  t.true(rows.length >= 10)
  for (const row of rows) {
    const proof = row.split('|').at(-2) ?? ''
    let source = ''
    for (const [, name = ''] of proof.matchAll(/`([^`]+)`/g)) {
      if (/\.(?:rs|ts)$/.test(name)) {
        t.true(existsSync(path.join(projectRoot, name)), name)
        source = readFileSync(path.join(projectRoot, name), 'utf8')
      } else {
        t.true(source.includes(name), `no test "${name}"`)
      }
    }
  }
})

test('every code that the guide names is in the table', (t) => {
  const table = readFileSync(path.join(projectRoot, 'docs/reference/errors.md'), 'utf8')
  for (const page of pages) {
    const text = readFileSync(path.join(guide, page), 'utf8')
    for (const [code] of text.matchAll(/PK_E_[A-Z_]*[A-Z]/g)) {
      t.true(table.includes(code), `${page}: ${code}`)
    }
  }
})
