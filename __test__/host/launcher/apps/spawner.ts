/** A supervisor that does nothing but start one app: to be killed. Prints the identity of the app. */
import { readFileSync } from 'node:fs'
import { NodeLauncher } from '../../../../ts/host/launcher/node.js'

const order = JSON.parse(readFileSync(process.argv[2] as string, 'utf8'))
const launched = await new NodeLauncher({ root: '/' }).launch(order)
console.log(JSON.stringify(launched.process))
setInterval(() => undefined, 1000)
