/** What a spare becomes. */
import { connectHost } from '../../../../ts/host/app/index.js'

const host = await connectHost()
console.log(JSON.stringify([host.instance, process.env.TILL, process.argv.slice(1)]))
host.ready()
