// A store for the servers that `cargo xtask bench` compares with: as much of S3 as @tus/s3-store
// uses, without signatures. It counts requests and keeps no part, but keeps objects in memory,
// because the server reads them back. The line `listening <origin>` has its address.

import { createServer } from 'node:http'

const objects = new Map()
const uploads = new Map()
let uploadsCreated = 0
let operations = {}

const server = createServer(async (request, response) => {
  const { pathname, searchParams: query } = new URL(request.url, 'http://store')
  // The counts, as the sandbox reports them.
  if (pathname === '/_sandbox/requests') return response.end(JSON.stringify({ operations }))
  if (pathname === '/_sandbox/requests/reset') {
    operations = {}
    return response.end()
  }
  const name = operationOf(request.method, query)
  const chunks = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += chunk.length
    // S3 clients specify the operation. A body of any other client is discarded.
    if (query.get('x-id') === 'PutObject') chunks.push(chunk)
  }
  const count = (operations[name] ??= { requests: 0, bytes: 0 })
  count.requests += 1
  count.bytes += bytes
  const { status = 200, headers = {}, body = '' } = respond(name, {
    path: pathname,
    query,
    bytes,
    content: Buffer.concat(chunks),
    metadata: metadataOf(request.headers),
  })
  response.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers })
  response.end(request.method === 'HEAD' ? undefined : body)
})

function operationOf(method, query) {
  const inUpload = query.has('uploadId')
  switch (method) {
    case 'POST':
      if (query.has('uploads')) return 'CreateMultipartUpload'
      return inUpload ? 'CompleteMultipartUpload' : 'Unsupported'
    case 'PUT':
      return inUpload ? 'UploadPart' : 'PutObject'
    case 'GET':
      return inUpload ? 'ListParts' : 'GetObject'
    case 'HEAD':
      return 'HeadObject'
    default:
      return method === 'DELETE' && !inUpload ? 'DeleteObject' : 'Unsupported'
  }
}

function respond(name, { path, query, bytes, content, metadata }) {
  const parts = uploads.get(query.get('uploadId'))
  if (query.has('uploadId') && !parts) return error(404, 'NoSuchUpload')
  // The server's keys need no escaping.
  const [, bucket, key] = path.match(/^\/([^/]*)\/?(.*)$/)
  const target = `<Bucket>${bucket}</Bucket><Key>${key}</Key>`
  switch (name) {
    case 'CreateMultipartUpload': {
      const id = String(++uploadsCreated)
      uploads.set(id, new Map())
      const result = `${target}<UploadId>${id}</UploadId>`
      return xml(`<InitiateMultipartUploadResult>${result}</InitiateMultipartUploadResult>`)
    }
    case 'UploadPart':
      parts.set(Number(query.get('partNumber')), bytes)
      return { headers: { etag: etagOf(bytes) } }
    case 'ListParts':
      return xml(partList(parts, Number(query.get('part-number-marker') ?? 0)))
    case 'CompleteMultipartUpload': {
      uploads.delete(query.get('uploadId'))
      const result = `${target}<ETag>&quot;0-1&quot;</ETag>`
      return xml(`<CompleteMultipartUploadResult>${result}</CompleteMultipartUploadResult>`)
    }
    case 'PutObject':
      objects.set(path, { content, metadata })
      return { headers: { etag: etagOf(bytes) } }
    case 'GetObject':
    case 'HeadObject': {
      const object = objects.get(path)
      return object ? { headers: object.metadata, body: object.content } : error(404, 'NoSuchKey')
    }
    case 'DeleteObject':
      objects.delete(path)
      return { status: 204 }
    default:
      return error(501, 'NotImplemented')
  }
}

/** One page of at most 1,000 parts, as S3 has it. */
function partList(parts, marker) {
  const numbers = [...parts.keys()].filter((number) => number > marker).sort((a, b) => a - b)
  const page = numbers.slice(0, 1000)
  const items = page.map((number) => {
    const size = parts.get(number)
    const etag = etagOf(size).replaceAll('"', '&quot;')
    return `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag><Size>${size}</Size></Part>`
  })
  return (
    `<ListPartsResult><IsTruncated>${page.length < numbers.length}</IsTruncated>` +
    `<NextPartNumberMarker>${page.at(-1) ?? 0}</NextPartNumberMarker>${items.join('')}` +
    '</ListPartsResult>'
  )
}

/** An ETag is opaque to clients. */
function etagOf(bytes) {
  return `"${bytes.toString(16).padStart(32, '0')}"`
}

function metadataOf(headers) {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name.startsWith('x-amz-meta-')),
  )
}

function error(status, code) {
  return { status, ...xml(`<Error><Code>${code}</Code></Error>`) }
}

function xml(root) {
  return {
    headers: { 'content-type': 'application/xml' },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n${root}`,
  }
}

// Connections stay open between the requests of a workload.
server.keepAliveTimeout = 60_000
server.listen({ host: '127.0.0.1', port: 0 }, () => {
  console.log(`listening http://127.0.0.1:${server.address().port}`)
})
