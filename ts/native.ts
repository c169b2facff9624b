/**
 * The only file that loads the native binding, and the only one that names its generated types.
 *
 * The binding is loaded on first use, not on import: a program that only reads types or error codes
 * runs on a machine that has none, and `doctor` can say why it does not load. Loading goes through
 * `require`, which works whether this package was imported or required, and is the only way to
 * catch the failure and say what to do about it.
 */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

export type {
  NativeAdjustment,
  NativeAdjustmentAnswer,
  NativeAttribute,
  NativeAuditAnswer,
  NativeCancel,
  NativeCart,
  NativeCash,
  NativeCashReceived,
  NativeCashSent,
  NativeConnectOptions,
  NativeCounted,
  NativeDone,
  NativeExpired,
  NativeIsolation,
  NativeLine,
  NativeLineAnswer,
  NativeListedSale,
  NativeMinimized,
  NativeMinimizeOptions,
  NativeOpenOptions,
  NativeOutgoing,
  NativePolicy,
  NativePolicyAnswer,
  NativePrice,
  NativeProof,
  NativeReason,
  NativeReceipt,
  NativeReceiptLine,
  NativeReceiptTender,
  NativeRecovery,
  NativeReprint,
  NativeReturn,
  NativeRules,
  NativeRulesAnswer,
  NativeRulesInForce,
  NativeService,
  NativeServiceClient,
  NativeServiceLimits,
  NativeStore,
  NativeSuspended,
  NativeTax,
  NativeTender,
  NativeTenderAnswer,
  NativeTerminal,
  NativeTold,
  NativeTotals,
  NativeVerifyReport,
} from '#native'

type Binding = typeof import('#native')

/** What is known about a platform whose binding could not be loaded. */
export interface BindingFacts {
  /** `process.platform`. */
  readonly platform: string
  /** `process.arch`. */
  readonly arch: string
  /** The C library of a Linux system, with its version where the process knows it. */
  readonly libc?: string
  /** The package that holds the binary for this platform; absent when none is published. */
  readonly package?: string
  /** The command that mends it. */
  readonly command: string
}

/** An error as JSON: what the commands print and a script answers. */
export interface ErrorJson {
  /** An error is never ok. */
  readonly ok: false
  /** `PK_E_...`, or `ERR_POS_KERNEL_BINDING`. */
  readonly code: string
  /** A sentence for people. */
  readonly message: string
  /** The values behind the sentence. */
  readonly facts: object
}

/**
 * The native binding could not be loaded. The message names the platform, the package that is
 * missing and the one command to run; `cause` is what the loader said.
 *
 * It stands beside the error table, not in it: the codes of the table are the kernel's, and without
 * the binding there is no kernel.
 *
 * @example
 * try {
 *   await openTerminal({ id: 'TILL_01' })
 * } catch (error) {
 *   if (error instanceof BindingLoadError) console.error(error.facts.command)
 * }
 */
export class BindingLoadError extends Error {
  /** Always this text. */
  readonly code = 'ERR_POS_KERNEL_BINDING'
  /** Where it happened and what to run. */
  readonly facts: BindingFacts

  /** @internal */
  constructor(facts: BindingFacts, cause: unknown) {
    const where = [facts.platform, facts.arch, facts.libc].filter((part) => part !== undefined)
    const what =
      facts.package === undefined
        ? 'no prebuilt binary is published for it'
        : `the package ${facts.package} is missing or cannot be loaded`
    super(
      `pos-kernel has no native binding on ${where.join(' ')}: ${what}. Run: ${facts.command}`,
      {
        cause,
      },
    )
    this.name = 'BindingLoadError'
    this.facts = facts
  }

  /** The error as the one JSON object that every door shows. */
  toJSON(): ErrorJson {
    return { ok: false, code: this.code, message: this.message, facts: this.facts }
  }
}

const require = createRequire(import.meta.url)

/** Platforms with a prebuilt binary, by `platform-arch[-libc]`. */
const prebuilt = new Set([
  'linux-x64-gnu',
  'linux-arm64-gnu',
  'linux-x64-musl',
  'linux-arm64-musl',
  'darwin-x64',
  'darwin-arm64',
  'win32-x64-msvc',
])

let loaded: Binding | undefined

/**
 * The binding, loaded once for all threads that share this module.
 *
 * @throws {@link BindingLoadError}
 */
export function binding(): Binding {
  if (loaded !== undefined) return loaded
  try {
    loaded = require('#native') as Binding
  } catch (cause) {
    throw new BindingLoadError(bindingFacts(), cause)
  }
  return loaded
}

/** Where the binding is loaded from, for a process that loads it too. */
export function bindingPath(): string {
  return require.resolve('#native')
}

/** Version of this package, from its `package.json`. */
export function packageVersion(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

function bindingFacts(): BindingFacts {
  const { platform, arch } = process
  const glibc = platform === 'linux' ? glibcVersion() : undefined
  const isMusl = platform === 'linux' && glibc === undefined
  const suffix = { linux: isMusl ? '-musl' : '-gnu', win32: '-msvc' }[platform as string] ?? ''
  const triple = `${platform}-${arch}${suffix}`
  const isPublished = prebuilt.has(triple)
  const isCheckout = existsSync(fileURLToPath(new URL('../Cargo.lock', import.meta.url)))
  const isInstalled = /[\\/]node_modules[\\/]/.test(fileURLToPath(import.meta.url))
  const build = isInstalled
    ? 'npm run build:native --prefix node_modules/pos-kernel'
    : 'npm run build'
  const reinstall = 'npm install --include=optional pos-kernel'
  return {
    platform,
    arch,
    ...(platform === 'linux' && { libc: isMusl ? 'musl' : `glibc ${glibc}` }),
    ...(isPublished && { package: `pos-kernel-${triple}` }),
    command: isPublished && isInstalled ? reinstall : isCheckout ? build : reinstall,
  }
}

/** The glibc that this process runs on; undefined on musl and elsewhere. */
function glibcVersion(): string | undefined {
  // The report would otherwise look up the names of all network peers.
  const report = process.report as typeof process.report & { excludeNetwork?: boolean }
  report.excludeNetwork = true
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } }
  return header?.glibcVersionRuntime
}
