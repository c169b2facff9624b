/** Answers over HTTP: the headers that every one of them has, JSON, and refusals. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type HostCode, HostError, hostError } from '../error.js'

/** Nothing runs and nothing is loaded but this server's own files; nobody may frame the page or read it from elsewhere. */
const headers: Readonly<Record<string, string>> = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; '),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Cache-Control': 'no-store',
}

/** Bytes that the body of a request may have. */
export const bodyBytesMax = 4096

const statusOfCode: Partial<Record<HostCode, number>> = {
  HOST_ARGUMENT: 400,
  HOST_IDENTITY: 401,
  HOST_FORBIDDEN: 403,
  HOST_NO_METHOD: 404,
  HOST_UNKNOWN_APP: 404,
  HOST_UNKNOWN_INSTANCE: 404,
  HOST_QUARANTINED: 409,
  HOST_SHUTTING_DOWN: 409,
  HOST_UNSUPPORTED: 409,
  HOST_TOO_LARGE: 413,
  HOST_BUSY: 429,
  HOST_NOT_RUNNING: 503,
  HOST_UNREACHABLE: 503,
  HOST_DISCONNECTED: 503,
  HOST_TIMED_OUT: 504,
}

/** Begins an answer. */
export function head(response: ServerResponse, status: number, type: string): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  response.setHeader('Content-Type', type)
  response.statusCode = status
}

/** Answers with a text or with bytes. */
export function reply(
  response: ServerResponse,
  status: number,
  type: string,
  body: string | Buffer,
) {
  head(response, status, type)
  response.setHeader('Content-Length', Buffer.byteLength(body))
  response.end(response.req.method === 'HEAD' ? undefined : body)
}

/** Answers with JSON. */
export function replyJson(response: ServerResponse, status: number, value: unknown): void {
  reply(response, status, 'application/json; charset=utf-8', JSON.stringify(value))
}

/** Refuses. What was not read of the request ends with its connection. */
export function refuse(response: ServerResponse, error: unknown): void {
  const known =
    error instanceof HostError
      ? error
      : hostError('HOST_FAILED', `an unexpected fault: ${(error as Error)?.message ?? error}`)
  if (response.headersSent) {
    response.destroy()
    return
  }
  if (!response.req.complete) response.setHeader('Connection', 'close')
  replyJson(response, statusOfCode[known.code as HostCode] ?? 500, known.toJSON())
}

/**
 * The body of a request as JSON.
 *
 * @throws {@link HostError} `HOST_TOO_LARGE`, `HOST_ARGUMENT`
 */
export async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const type = request.headers['content-type'] ?? ''
  if (!/^application\/json\b/.test(type)) {
    const message = 'a body has to be application/json'
    throw hostError('HOST_ARGUMENT', message, { path: 'content-type', value: type.slice(0, 100) })
  }
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bodyBytesMax) {
      const message = `a body has more than ${bodyBytesMax} bytes`
      throw hostError('HOST_TOO_LARGE', message, { bytes, limit: bodyBytesMax })
    }
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    throw hostError('HOST_ARGUMENT', 'the body is no JSON', { path: 'body', value: undefined })
  }
}
