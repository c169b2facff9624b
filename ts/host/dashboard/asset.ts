/** The files of the page: a fixed list, read once. A path that is not in it is not looked up anywhere. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** A file of the page. */
export interface Asset {
  readonly type: string
  readonly body: Buffer
}

/** Modules of the page, in `page/`. */
const modules = [
  'main',
  'session',
  'stream',
  'model',
  'format',
  'element',
  'shape',
  'summary',
  'apps',
  'spark',
  'detail',
  'charts',
  'actions',
  'questions',
  'reports',
  'terminals',
  'events',
  'announcer',
] as const

const types = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
} as const

/** Reads them all. */
export async function readAssets(): Promise<ReadonlyMap<string, Asset>> {
  const page = fileURLToPath(new URL('./page/', import.meta.url))
  const charts = path.dirname(createRequire(import.meta.url).resolve('uplot/package.json'))
  const files: [address: string, file: string][] = [
    ['/', path.join(page, 'index.html')],
    ['/style.css', path.join(page, 'style.css')],
    ['/icon.svg', path.join(page, 'icon.svg')],
    ['/uplot.js', path.join(charts, 'dist', 'uPlot.esm.js')],
    ['/uplot.css', path.join(charts, 'dist', 'uPlot.min.css')],
    ...modules.map((name): [string, string] => [`/${name}.js`, path.join(page, `${name}.js`)]),
  ]
  const assets = files.map(async ([address, file]): Promise<[string, Asset]> => {
    const type = types[path.extname(file).slice(1) as keyof typeof types]
    return [address, { type, body: await readFile(file) }]
  })
  return new Map(await Promise.all(assets))
}
