/**
 * The dashboard: a page for the people who run a store's host, and the figures for their monitoring.
 *
 * It is an operator like the command line, connected to the supervisor by the control socket, so that it can run in any
 * process of the store's user: beside the supervisor, or by itself. Nothing of it is needed for an app to live.
 *
 * ```text
 * GET  /  /style.css  /*.js           the page: files without any content of the store, no key needed
 * GET  /api/stream                    server-sent events: hello, status, event, link
 * GET  /api/apps/UUID/history         what was measured of an app
 * POST /api/apps/UUID/ACTION          {"confirm": UUID}: start, drain, restart, recycle, kill, release
 * GET  /api/questions                 intents that a person has to decide; who asks is asked
 * POST /api/questions/ID              {"confirm": ID, "choice": {...}}; without a choice the intent is refused
 * GET  /api/reports  /api/reports/INSTANCE
 * GET  /metrics                       Prometheus text
 * ```
 * Read `gate.ts` for who may ask what.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { hostError } from '../error.js'
import { prometheusContentType, prometheusText } from '../monitor/prometheus.js'
import { act } from './action.js'
import { type Asset, readAssets } from './asset.js'
import { Feed } from './feed.js'
import { Gate } from './gate.js'
import { answerQuestion, openQuestions } from './question.js'
import { refuse, reply, replyJson } from './reply.js'
import { listReports, readReport } from './report.js'
import { Streams } from './stream.js'

/** Choices of a dashboard. */
export interface DashboardOptions {
  /** Folder of the store. */
  readonly root: string
  /** Port on the loopback address; any that is free unless given. */
  readonly port?: number
}

/** A dashboard that runs. */
export interface Dashboard {
  /** What a person opens: the key is behind the `#`, which no browser sends anywhere. */
  readonly address: string
  /** The same without the key. */
  readonly url: string
  /** The key, for `Authorization: Bearer KEY`. */
  readonly key: string
  /** Ends it. May be called again. */
  stop(): Promise<void>
}

const loopback = '127.0.0.1'
/** A request has to be there whole in this time, and its head in half of it. */
const requestMs = 10_000
const headerBytesMax = 8192
const addressCharactersMax = 1024
const connectionsMax = 64

/**
 * Starts a dashboard. It need not find a host: it waits for one, and for the next one.
 *
 * @throws the error of the system when the port is taken
 */
export async function startDashboard({ root, port = 0 }: DashboardOptions): Promise<Dashboard> {
  const key = randomBytes(32).toString('hex')
  const assets = await readAssets()
  const feed = new Feed(root)
  const streams = new Streams(feed)
  const server = http.createServer({
    maxHeaderSize: headerBytesMax,
    headersTimeout: requestMs / 2,
    requestTimeout: requestMs,
    connectionsCheckingInterval: 500,
    keepAliveTimeout: 5000,
  })
  server.maxConnections = connectionsMax
  server.listen(port, loopback)
  await once(server, 'listening')
  const { port: ownPort } = server.address() as AddressInfo
  const gate = new Gate(ownPort, key)
  server.on('request', (request, response) => {
    answer({ root, assets, feed, streams, gate }, request, response).catch((error) =>
      refuse(response, error),
    )
  })
  await feed.start()
  const url = `http://${loopback}:${ownPort}/`
  let stopping: Promise<void> | undefined
  return {
    url,
    key,
    address: `${url}#key=${key}`,
    stop() {
      stopping ??= stop(server, feed, streams)
      return stopping
    },
  }
}

async function stop(server: http.Server, feed: Feed, streams: Streams): Promise<void> {
  feed.stop()
  streams.stop()
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeAllConnections()
  await closed
}

interface Parts {
  readonly root: string
  readonly assets: ReadonlyMap<string, Asset>
  readonly feed: Feed
  readonly streams: Streams
  readonly gate: Gate
}

async function answer(
  { root, assets, feed, streams, gate }: Parts,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  gate.checkOrigin(request)
  const { method = '', url = '' } = request
  if (url.length > addressCharactersMax) {
    const facts = { bytes: url.length, limit: addressCharactersMax }
    throw hostError('HOST_TOO_LARGE', `an address of ${url.length} characters`, facts)
  }
  const [address = '', query = ''] = url.split('?')
  const isRead = method === 'GET' || method === 'HEAD'
  const asset = isRead ? assets.get(address) : undefined
  if (asset !== undefined) {
    reply(response, 200, asset.type, asset.body)
    return
  }
  gate.checkKey(request)
  const [area, kind, name, verb, ...rest] = address.slice(1).split('/')
  if (rest.length > 0) throw noSuch(method, address)
  if (isRead && address === '/api/stream') {
    streams.open(response, { store: path.basename(root), folder: root })
  } else if (isRead && address === '/metrics') {
    const status = await feed.now()
    if (status === null) throw hostError('HOST_NOT_RUNNING', feed.link.why, {})
    reply(response, 200, prometheusContentType, prometheusText(status))
  } else if (isRead && address === '/api/reports') {
    replyJson(response, 200, await listReports(root))
  } else if (isRead && area === 'api' && kind === 'reports' && name && verb === undefined) {
    replyJson(response, 200, await readReport(root, name))
  } else if (isRead && area === 'api' && kind === 'apps' && name && verb === 'history') {
    const from = Number(new URLSearchParams(query).get('from') ?? Number.NEGATIVE_INFINITY)
    replyJson(response, 200, feed.history(name, from))
  } else if (isRead && address === '/api/questions') {
    replyJson(response, 200, await openQuestions(feed))
  } else if (method === 'POST' && area === 'api' && kind === 'questions' && name && !verb) {
    replyJson(response, 200, await answerQuestion(feed, name, request))
  } else if (method === 'POST' && area === 'api' && kind === 'apps' && name && verb) {
    replyJson(response, 200, await act(feed, name, verb, request))
  } else {
    throw noSuch(method, address)
  }
}

function noSuch(method: string, address: string): Error {
  return hostError('HOST_NO_METHOD', `there is no ${method} ${address} here`, {
    method: `${method} ${address}`.slice(0, 200),
  })
}
