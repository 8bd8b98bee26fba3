// A tus server with S3 storage at STORE_ORIGIN. Prints `listening <origin>` when it is ready.

import { Server } from '@tus/server'
import { S3Store } from '@tus/s3-store'

const server = new Server({
  path: '/v1/files',
  datastore: new S3Store({
    s3ClientConfig: {
      bucket: 'bench',
      endpoint: process.env.STORE_ORIGIN,
      // Host names of buckets do not resolve to this machine.
      forcePathStyle: true,
      region: 'us-east-1',
      // The sink checks no signatures, but the client signs every request.
      credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    },
  }),
})

const listener = server.listen({ host: '127.0.0.1', port: 0 }, () => {
  console.log(`listening http://127.0.0.1:${listener.address().port}`)
})
