// Imports everything, then opens: `load.mjs ROOT`. Run where the binding cannot be loaded.
import { BindingLoadError, errorCodes, openTerminal } from 'pos-kernel'

console.log(Object.keys(errorCodes).length > 30)
try {
  await openTerminal({ root: process.argv[2], id: 'T1' })
} catch (error) {
  console.log(
    JSON.stringify({ is: error instanceof BindingLoadError, cause: error.cause !== undefined }),
  )
  console.log(JSON.stringify(error))
}
