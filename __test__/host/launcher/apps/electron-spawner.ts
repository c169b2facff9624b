/** A main process of the stand-in for Electron that does nothing but start one app: to be killed. Prints who the app is. */
import { readFileSync } from 'node:fs'
import { ElectronLauncher } from '../../../../ts/host/launcher/electron.js'
import { electronWith } from '../utility-process.js'

const order = JSON.parse(readFileSync(process.argv[2] as string, 'utf8'))
const launched = await new ElectronLauncher(electronWith({}), { root: '/' }).launch(order)
console.log(JSON.stringify(launched.process))
setInterval(() => undefined, 1000)
