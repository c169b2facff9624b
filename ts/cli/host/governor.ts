/** Which means of this machine hold apps to their limits. */
import type { Governor } from '../../host/limits/governor.js'
import { noGovernor } from '../../host/limits/none.js'

/** The governor of a store's host. */
export async function governorOf(_root: string): Promise<Governor> {
  return noGovernor
}
