/**
 * Writes docs/reference/host-manifest.schema.json from the schema that the host reads manifests by, as dist/ has it. With
 * `--check` it only compares, and fails when the two differ.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { manifestJsonSchema } from '../dist/host/manifest/schema.js'
import { root } from './run.mjs'

const file = 'docs/reference/host-manifest.schema.json'
const wanted = `${JSON.stringify(manifestJsonSchema(), undefined, 2)}\n`
if (!process.argv.includes('--check')) {
  writeFileSync(path.join(root, file), wanted)
  console.log(`schema: ${file}`)
} else if (readFileSync(path.join(root, file), 'utf8') === wanted) {
  console.log(`${file}: as the host reads it`)
} else {
  console.log(`${file}: not what ts/host/manifest makes; run "npm run schema"`)
  process.exitCode = 1
}
