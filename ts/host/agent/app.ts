/** The agent as an app that the supervisor starts; see `agent-main.ts`. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { type AppManifest, type HostManifest, hostManifestSchema } from '../manifest/manifest.js'

/** The name of the agent among apps; no app may have it. On the bus it is `host/agent`, with the token of its run. */
export const agentUuid = 'host-agent'

/**
 * The apps of a manifest with the agent, where one of them has to do with FDC3: pages that have start after it, since it
 * shows them.
 */
export function withAgent(manifest: HostManifest): HostManifest {
  const isUsed = manifest.apps.some(({ fdc3 }) => fdc3 !== undefined)
  if (!isUsed) return manifest
  const apps = manifest.apps.map((app) =>
    isShown(app) ? { ...app, dependsOn: [...app.dependsOn, agentUuid] } : app,
  )
  return { ...manifest, apps: [agentApp(), ...apps] }
}

/** True for a page that the agent shows. */
export function isShown({ startup_app: { url }, fdc3 }: AppManifest): boolean {
  return url !== undefined && fdc3 !== undefined
}

/** What the supervisor is told of it. It is never given up: its absence costs the apps their contexts and intents. */
export function agentApp(): AppManifest {
  const folder = path.dirname(fileURLToPath(import.meta.url))
  const built = path.join(folder, 'agent-main.js')
  const isBuilt = existsSync(built)
  const { apps } = hostManifestSchema.parse({
    apps: [
      {
        startup_app: {
          uuid: agentUuid,
          name: 'Desktop agent',
          script: isBuilt ? built : path.join(folder, 'agent-main.ts'),
          // From sources, under the loader that this process runs under.
          nodeArgs: isBuilt
            ? []
            : process.execArgv.filter((argument) => argument.startsWith('--import=')),
        },
        restart: { intensity: 1000, periodMs: 1000, backoffMs: 50, backoffMaxMs: 1000 },
        health: { heartbeatMs: 1000, hangMs: 10_000 },
        permissions: { store: true, network: true },
      },
    ],
  })
  return apps[0] as AppManifest
}
