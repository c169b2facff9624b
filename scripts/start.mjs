/**
 * `npm start`: sets up, then runs the main job, a day of real sales on several terminals with one
 * of them killed in the middle. Arguments go through: `npm start -- --keep`.
 */
import { run } from './run.mjs'
import { setup } from './setup.mjs'

if (await setup()) {
  const job = ['examples/store-day.mjs', ...process.argv.slice(2)]
  process.exitCode = (await run(process.execPath, job)).code
} else {
  process.exitCode = 1
}
