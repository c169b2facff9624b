/** A page of a test: the official client as a page gets it. What it does at its start stands behind `?role=`. */
import { getAgent } from '@finos/fdc3-get-agent'
import { makeBox, roles } from './roles.mjs'

globalThis.box = makeBox()
globalThis.agent = undefined
getAgent({ timeoutMs: 5000 }).then(
  async (fdc3) => {
    await roles[new URL(location.href).searchParams.get('role')]?.(fdc3, globalThis.box)
    globalThis.agent = fdc3
  },
  (error) => {
    globalThis.refused = String(error?.message ?? error)
  },
)
