/** The manifest as a JSON Schema, for editors and for programs in other languages: made of the one schema that the host reads by. */
import { z } from 'zod'
import { hostManifestSchema } from './manifest.js'

/** What `docs/reference/host-manifest.schema.json` holds. What a schema cannot say, circles and doubles, the host says. */
export function manifestJsonSchema(): object {
  const { $schema, ...rest } = z.toJSONSchema(hostManifestSchema, { io: 'input' })
  return {
    $schema,
    title: 'Host manifest of pos-kernel',
    description:
      'The apps of a store and what holds for them. Sizes are bytes, maxCPU is percent of one core, times are milliseconds.',
    ...rest,
  }
}
