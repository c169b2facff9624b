/** Serves the page of the customer display, with the standard's client bundled into its script. */
import http from 'node:http'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** Resolves when the page can be had on this port of this machine. */
export async function servePage(port) {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('display.mjs', import.meta.url))],
    bundle: true,
    format: 'esm',
    write: false,
  })
  const files = {
    '/': { type: 'text/html; charset=utf-8', body: document },
    '/display.js': { type: 'text/javascript; charset=utf-8', body: outputFiles[0].contents },
  }
  const server = http.createServer(({ url }, response) => {
    const file = files[url]
    response.writeHead(file === undefined ? 404 : 200, {
      'content-type': file?.type ?? 'text/plain',
    })
    response.end(file?.body ?? 'there is no such file\n')
  })
  await new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
}

const document = `<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Customer display</title>
  <style>
    body { margin: 2rem; font: 1.5rem/1.5 system-ui, sans-serif; color-scheme: light dark }
    li { display: flex; justify-content: space-between; max-width: 20rem }
    ul { padding: 0 }
    button { font: inherit; padding: 0.3rem 1rem; margin-inline-end: 0.5rem }
  </style>
  <p id="offer"></p>
  <ul id="lines"></ul>
  <p><strong id="total"></strong></p>
  <p><button id="points">My points</button><button id="receipt">Receipt</button></p>
  <p id="said" role="status"></p>
  <script type="module" src="/display.js"></script>
</html>
`
