/** The published JSON Schema of the manifest says what the host says. */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import test from 'ava'
import { hostManifestSchema } from '../../../ts/host/manifest/manifest.js'
import { manifestJsonSchema } from '../../../ts/host/manifest/schema.js'
import { projectRoot } from '../../support/child.js'

const file = path.join(projectRoot, 'docs/reference/host-manifest.schema.json')
const published = JSON.parse(readFileSync(file, 'utf8')) as object
const validate = new Ajv2020({ strict: false }).compile(published)

const app = { startup_app: { uuid: 'a', name: 'A', script: 'a.mjs' } }
const withLimits = (resourceLimits: object) => ({ apps: [{ ...app, resourceLimits }] })
const withStartup = (facts: object) => ({
  apps: [{ startup_app: { ...app.startup_app, ...facts } }],
})

test('it is what the schema of the host makes', (t) => {
  t.deepEqual(published, JSON.parse(JSON.stringify(manifestJsonSchema())))
})

test('both take what is right', (t) => {
  const examples = path.join(projectRoot, 'examples/host')
  const names = readdirSync(examples).filter((name) => name.endsWith('.json'))
  t.true(names.length > 0)
  const texts = names.map((name) => readFileSync(path.join(examples, name), 'utf8'))
  const right = [
    { apps: [app] },
    withLimits({ maxMemory: 96 * 1024 * 1024, maxCPU: 12.5 }),
    withStartup({ kind: 'terminal', terminal: 'TILL_01' }),
    ...texts.map((text) => JSON.parse(text)),
  ]
  for (const manifest of right) {
    t.true(hostManifestSchema.safeParse(manifest).success, JSON.stringify(manifest))
    t.true(validate(manifest), JSON.stringify(validate.errors))
  }
})

test('both refuse what is wrong', (t) => {
  const wrong = [
    {},
    [],
    { apps: [] },
    { apps: [app], more: 1 },
    withLimits({ maxMemory: 96 * 1024 * 1024 - 1 }),
    withLimits({ maxMemory: 1.5e9 + 0.5 }),
    withLimits({ maxCPU: 0 }),
    withLimits({ maxCPU: '50' }),
    withLimits({ maxmemory: 2e8 }),
    withStartup({ uuid: '-a' }),
    withStartup({ uuid: 'a'.repeat(49) }),
    withStartup({ name: '' }),
    withStartup({ kind: 'window' }),
    withStartup({ terminal: 'TILL 01' }),
    { apps: [{ ...app, restart: { type: 'always' } }] },
    { apps: [{ ...app, health: { hangMs: 199 } }] },
    { apps: [{ ...app, dependsOn: ['b c'] }] },
    { apps: [app], strategy: 'one_for_many' },
  ]
  for (const manifest of wrong) {
    t.false(hostManifestSchema.safeParse(manifest).success, JSON.stringify(manifest))
    t.false(validate(manifest), JSON.stringify(manifest))
  }
})
