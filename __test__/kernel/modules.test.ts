import { existsSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { posKernel, program } from '../support/child.js'
import { tempStore } from '../support/store.js'

const nowhere = { NAPI_RS_NATIVE_LIBRARY_PATH: '/nowhere/pos-kernel.node' }

test('the package sells from an ES module', async (t) => {
  const { code, stdout, stderr } = await program('sell-and-close.mjs', [tempStore(t)])
  t.is(stderr, '')
  t.is(stdout, '1\n')
  t.is(code, 0)
})

test('the package sells from CommonJS, with the same classes', async (t) => {
  const { code, stdout, stderr } = await program('sell.cjs', [tempStore(t)])
  t.is(stderr, '')
  t.is(stdout, 'true PK_E_TERMINAL_IN_USE\n1\n')
  t.is(code, 0)
})

test('a binding that cannot be loaded is said in one sentence, when it is needed', async (t) => {
  const root = path.join(tempStore(t), 'store')
  const { code, stdout } = await program('load.mjs', [root], { env: nowhere })
  t.is(code, 0)
  const [imported, kind, text] = stdout.trim().split('\n')
  t.is(imported, 'true')
  t.deepEqual(JSON.parse(kind ?? ''), { is: true, cause: true })
  const error = JSON.parse(text ?? '')
  t.like(error, { ok: false, code: 'ERR_POS_KERNEL_BINDING' })
  t.like(error.facts, { platform: process.platform, arch: process.arch })
  t.true(error.message.includes(`${process.platform} ${process.arch}`))
  t.true(error.message.endsWith(`Run: ${error.facts.command}`))
  t.regex(error.facts.command, /^npm (?:run build|install)/)
  t.false(existsSync(root))
})

test('the command says it too, with the exit code of a failure', async (t) => {
  const root = tempStore(t)
  const json = await posKernel(['verify', '--root', root, '--json'], { env: nowhere })
  t.is(json.code, 3)
  t.is(JSON.parse(json.stdout).code, 'ERR_POS_KERNEL_BINDING')
  const plain = await posKernel(['verify', '--root', root], { env: nowhere })
  t.is(plain.code, 3)
  t.regex(plain.stderr, /pos-kernel has no native binding on/)
  const doctor = await posKernel(['doctor', '--root', root, '--json'], { env: nowhere })
  t.is(doctor.code, 1)
  const { ok, checks } = JSON.parse(doctor.stdout)
  t.false(ok)
  const binding = checks.find(({ name }: { name: string }) => name === 'binding')
  t.like(binding, { ok: false, level: 'fail' })
  t.regex(binding.advice, /^run: npm /)
})
