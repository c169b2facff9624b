/** An app of a host: gives one order, and writes down what came of it. */
import { renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { connectHost } from '../../../../dist/host/app/index.js'
import { getAgent } from '../../../../dist/host/fdc3/index.js'

const host = await connectHost()
const fdc3 = await getAgent()
host.ready()
const resolution = await fdc3.raiseIntent('ShowOrder', { type: 'till.order' })
const result = await resolution.getResult()
const outcome = { source: resolution.source.appId, result, own: (await fdc3.getInfo()).appMetadata }
writeFileSync(path.join(host.dataFolder, 'outcome.tmp'), JSON.stringify(outcome))
renameSync(path.join(host.dataFolder, 'outcome.tmp'), path.join(host.dataFolder, 'outcome'))
