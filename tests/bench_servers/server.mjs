// A tus server in front of S3. STORE_ORIGIN is the store; the line `listening <origin>` says where
// the server is.

import { Server } from '@tus/server'
import { S3Store } from '@tus/s3-store'

const server = new Server({
  path: '/v1/files',
  datastore: new S3Store({
    s3ClientConfig: {
      bucket: 'bench',
      endpoint: process.env.STORE_ORIGIN,
      // Host names of buckets do not lead to this machine.
      forcePathStyle: true,
      region: 'us-east-1',
      // The sink checks no signature, but the client makes one for every request.
      credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    },
  }),
})

const listener = server.listen({ host: '127.0.0.1', port: 0 }, () => {
  console.log(`listening http://127.0.0.1:${listener.address().port}`)
})
