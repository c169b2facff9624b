/**
 * The JSON schemas of the standard, as they come in the package `@finos/fdc3-schema`, compiled when first needed.
 *
 * The schemas say draft-07 and use `unevaluatedProperties` of 2019-09, which is why the 2019 dialect reads them.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { Ajv2019, type ValidateFunction } from 'ajv/dist/2019.js'
import { nameLengthMax } from './limits.js'
import { responseType } from './message.js'

const base = 'https://fdc3.finos.org/schemas/next/api/'
const require = createRequire(import.meta.url)
const requestName = /^[a-zA-Z]{1,64}Request$/

/** What is wrong with a message. */
export interface SchemaProblem {
  /** Where, as a JSON pointer. */
  readonly path: string
  /** What the schema asks for there. */
  readonly message: string
}

/** Checks messages against the standard's schemas. */
export class Schemas {
  readonly #ajv = new Ajv2019({
    strict: false,
    formats: { 'date-time': isDateTime, uri: isUri },
  })
  readonly #names: ReadonlySet<string>
  readonly #checks = new Map<string, ValidateFunction>()
  readonly #refusals = new Map<string, string>()

  constructor() {
    this.#ajv.addMetaSchema(require('ajv/dist/refs/json-schema-draft-07.json'))
    const ids = [folderOf('@finos/fdc3-schema', 'api'), folderOf('@finos/fdc3-context', 'context')]
      .flatMap((folder) =>
        readdirSync(folder)
          .filter((name) => name.endsWith('.schema.json'))
          .map((name) => path.join(folder, name)),
      )
      // Of the contexts only the base is referred to: an app may send types that nobody has standardised.
      .filter(
        (file) =>
          !file.includes(`${path.sep}context${path.sep}`) ||
          file.endsWith(`${path.sep}context.schema.json`),
      )
      .map((file) => {
        const schema = JSON.parse(readFileSync(file, 'utf8')) as PublishedSchema
        mend(schema)
        this.#ajv.addSchema(schema)
        return schema.$id
      })
    this.#names = new Set(
      ids
        .filter((id) => id.startsWith(base))
        .map((id) => id.slice(base.length).replace(/\.schema\.json$/, '')),
    )
  }

  /** True for the name of a request that the standard knows. */
  isRequest(type: string): boolean {
    return requestName.test(type) && type !== 'appRequest' && this.#names.has(type)
  }

  /** What is wrong with `message` as one of this name; undefined when nothing is. */
  problem(name: string, message: unknown): SchemaProblem | undefined {
    const check = this.#check(name)
    if (check === undefined) return { path: '/type', message: 'is not known' }
    if (check(message)) return undefined
    const [error] = check.errors ?? []
    return { path: error?.instancePath ?? '', message: error?.message ?? 'is refused' }
  }

  /** The error by which a malformed request is refused: the first that the schema of its response knows. */
  refusalOf(request: string, problem: SchemaProblem): string {
    const isContext = problem.path.startsWith('/payload/context')
    const key = `${request} ${isContext}`
    let refusal = this.#refusals.get(key)
    if (refusal === undefined) {
      const candidates = ['MalformedMessage', 'CreationFailed', 'ApiTimeout']
      if (isContext) candidates.unshift('MalformedContext')
      refusal =
        candidates.find(
          (error) => this.problem(responseType(request), refused(request, error)) === undefined,
        ) ?? 'MalformedMessage'
      this.#refusals.set(key, refusal)
    }
    return refusal
  }

  #check(name: string): ValidateFunction | undefined {
    let check = this.#checks.get(name)
    if (check === undefined && this.#names.has(name)) {
      check = this.#ajv.getSchema(`${base}${name}.schema.json`) as ValidateFunction
      this.#checks.set(name, check)
    }
    return check
  }
}

/**
 * Two schemas of 2.2.0 refuse every error but `ApiTimeout`: a payload with an error is also "any object", an error's
 * name is in more than one list, and `oneOf` takes neither. They are read as what they say in words.
 */
function mend(schema: PublishedSchema): void {
  if (schema.$id === `${base}agentResponse.schema.json`) delete schema.properties?.payload?.oneOf
  const errors = schema.$defs?.ErrorMessages
  if (schema.$id === `${base}common.schema.json` && errors?.oneOf !== undefined) {
    errors.anyOf = errors.oneOf
    delete errors.oneOf
  }
}

interface PublishedSchema {
  readonly $id: string
  readonly properties?: { readonly payload?: { oneOf?: unknown } }
  readonly $defs?: { readonly ErrorMessages?: { oneOf?: unknown; anyOf?: unknown } }
}

/** A response that refuses, only to ask a schema about it. */
function refused(request: string, error: string): object {
  const timestamp = '2000-01-01T00:00:00.000Z'
  return {
    type: responseType(request),
    payload: { error },
    meta: { requestUuid: '0', responseUuid: '0', timestamp },
  }
}

function folderOf(packageName: string, kind: string): string {
  return path.join(
    path.dirname(require.resolve(`${packageName}/package.json`)),
    'dist/schemas',
    kind,
  )
}

function isDateTime(text: string): boolean {
  return (
    text.length <= 64 &&
    /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d/.test(text) &&
    !Number.isNaN(Date.parse(text))
  )
}

function isUri(text: string): boolean {
  return text.length <= nameLengthMax * 16 && URL.canParse(text)
}
