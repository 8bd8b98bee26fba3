// ali-oss against the sandbox: its valid requests must succeed, and requests that OSS rejects must
// be rejected.
//
//   node oss_node.mjs --sandbox http://127.0.0.1:9000

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";

import OSS from "ali-oss";
import OSS617 from "ali-oss-6-17";

import { check, finish, refused } from "./checks.mjs";
import { Sandbox } from "./sandbox.mjs";

const { values } = parseArgs({
  options: {
    sandbox: { type: "string" },
    "access-key-secret": { type: "string", default: "sandbox-secret" },
  },
});
if (!values.sandbox) {
  console.error("usage: node oss_node.mjs --sandbox http://127.0.0.1:PORT");
  process.exit(2);
}

const KIB = 1024;
const sandbox = new Sandbox(values.sandbox);
const config = await sandbox.config();
const bucket = config.buckets[0];
const region = config.region;

// Several runs may share a sandbox, each with a separate prefix.
const prefix = `node/${randomBytes(4).toString("hex")}`;

/** Path style: with an IP address the client would leave the bucket out of the URL. */
const common = {
  accessKeyId: config.access_key_id,
  accessKeySecret: values["access-key-secret"],
  bucket,
  region,
  endpoint: `http://localhost:${sandbox.port}`,
  sldEnable: true,
};

const clients = [
  ["ali-oss 6.23 with V4", OSS, { authorizationV4: true }],
  ["ali-oss 6.23 with V1", OSS, {}],
  ["ali-oss 6.17 with V1", OSS617, {}],
];

for (const [name, Client, options] of clients) {
  const client = (changes) => new Client({ ...common, ...options, ...changes });
  await uploads(name, client);
  await lists(name, client);
  await refusals(name, client);
}
await presignedUrls();
await addressing();
finish();

async function uploads(name, client) {
  const oss = client();
  const key = `${prefix}/${name}/dir 1/é&<测试>+a%20b.bin`;
  const content = randomBytes(1024 * KIB + 77);

  await check(`${name} uploads a file in parts and gets the same bytes back`, async () => {
    await sandbox.resetCounts();
    await oss.multipartUpload(key, content, {
      partSize: 200 * KIB,
      mime: "video/mp4",
      meta: { author: "an author" },
    });
    assert.equal((await sandbox.count("UploadPart")).requests, 6);
    assert.deepEqual((await oss.get(key)).content, content);
    assert.deepEqual(await sandbox.stored(bucket, key), content);
    const head = await oss.head(key);
    assert.equal(head.res.headers["content-type"], "video/mp4");
    assert.match(head.res.headers.etag, /^"[0-9A-F]{32}-6"$/);
    assert.equal(head.meta.author, "an author");
  });

  await check(`${name} sends a small file as one PutObject`, async () => {
    await sandbox.resetCounts();
    const small = randomBytes(99 * KIB);
    await oss.multipartUpload(`${key}.small`, small);
    assert.equal((await sandbox.count("PutObject")).requests, 1);
    assert.deepEqual((await oss.get(`${key}.small`)).content, small);
  });

  await check(`${name} puts and gets an empty object`, async () => {
    await oss.put(`${key}.empty`, Buffer.alloc(0));
    assert.equal((await oss.get(`${key}.empty`)).content.length, 0);
  });

  await check(`${name} gets a range`, async () => {
    const part = await oss.get(key, { headers: { Range: "bytes=204799-204801" } });
    assert.equal(part.res.status, 206);
    assert.deepEqual(part.content, content.subarray(204799, 204802));
  });

  await check(`${name} resumes from a checkpoint and sends only what is missing`, async () => {
    const resumed = client();
    let checkpoint;
    const cancelled = resumed.multipartUpload(`${key}.resumed`, content, {
      partSize: 200 * KIB,
      parallel: 1,
      progress: (_fraction, current) => {
        checkpoint = current;
        if (current.doneParts.length === 3) resumed.cancel();
      },
    });
    await assert.rejects(cancelled, { name: "cancel" });
    const done = checkpoint.doneParts.map((part) => part.number);
    assert.ok(done.length >= 3 && done.length < 6, `${done.length} parts are done`);
    await sandbox.resetCounts();
    await client().multipartUpload(`${key}.resumed`, content, { checkpoint });
    const sent = Object.keys((await sandbox.count("UploadPart")).by_part).map(Number);
    assert.deepEqual([...done, ...sent].sort(), [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(await sandbox.stored(bucket, `${key}.resumed`), content);
  });

  await check(`${name} copies a range of an object into a part`, async () => {
    const { uploadId } = await oss.initMultipartUpload(`${key}.copy`);
    const source = { sourceKey: key, sourceBucketName: bucket };
    const range = "0-204799";
    const copied = await oss.uploadPartCopy(`${key}.copy`, uploadId, 1, range, source);
    const parts = [{ number: 1, etag: copied.etag }];
    await oss.completeMultipartUpload(`${key}.copy`, uploadId, parts);
    const stored = await sandbox.stored(bucket, `${key}.copy`);
    assert.deepEqual(stored, content.subarray(0, 204800));
  });

  await check(`${name} uploads with a temporary credential`, async () => {
    const temporary = client(await sandbox.temporaryCredential(3600));
    await temporary.multipartUpload(`${key}.sts`, content, { partSize: 300 * KIB });
    assert.deepEqual(await sandbox.stored(bucket, `${key}.sts`), content);
  });

  await check(`${name} deletes an object, which is then gone`, async () => {
    await oss.delete(`${key}.empty`);
    await refused(oss.get(`${key}.empty`), 404, "NoSuchKey");
    await refused(oss.head(`${key}.empty`), 404, "NoSuchKey");
  });
}

async function lists(name, client) {
  const oss = client();
  const key = `${prefix}/${name}/listed`;
  const { uploadId } = await oss.initMultipartUpload(key);
  const part = randomBytes(100 * KIB);
  for (const number of [1, 2, 5]) {
    await oss.uploadPart(key, uploadId, number, part, 0, part.length);
  }

  await check(`${name} lists parts page by page`, async () => {
    const first = await oss.listParts(key, uploadId, { "max-parts": 2 });
    assert.deepEqual(first.parts.map((listed) => listed.PartNumber), ["1", "2"]);
    assert.equal(first.isTruncated, "true");
    const marker = first.nextPartNumberMarker;
    const second = await oss.listParts(key, uploadId, { "part-number-marker": marker });
    // A single part is an object, not an array.
    assert.equal([second.parts].flat()[0].PartNumber, "5");
    assert.equal([second.parts].flat()[0].Size, String(part.length));
    assert.equal(second.isTruncated, "false");
  });

  await check(`${name} lists open uploads`, async () => {
    const { uploads } = await oss.listUploads({ prefix: `${prefix}/${name}/`, "max-uploads": 10 });
    assert.deepEqual(uploads.map((upload) => [upload.name, upload.uploadId]), [[key, uploadId]]);
  });

  await check(`${name} lists objects with prefix and delimiter`, async () => {
    const { prefixes } = await oss.list({ prefix: `${prefix}/${name}/`, delimiter: "/" });
    assert.deepEqual(prefixes, [`${prefix}/${name}/dir 1/`]);
    const all = await oss.listV2({ prefix: `${prefix}/${name}/dir 1/`, "max-keys": 2 });
    assert.equal(all.objects.length, 2);
    assert.ok(all.isTruncated);
    const rest = await oss.listV2({
      prefix: `${prefix}/${name}/dir 1/`,
      "continuation-token": all.nextContinuationToken,
    });
    assert.ok(rest.objects.length > 0 && !rest.isTruncated);
  });

  await check(`${name} aborts an upload, which is then gone`, async () => {
    await oss.abortMultipartUpload(key, uploadId);
    await refused(oss.listParts(key, uploadId), 404, "NoSuchUpload");
    await refused(oss.abortMultipartUpload(key, uploadId), 404, "NoSuchUpload");
    await refused(oss.uploadPart(key, uploadId, 1, part, 0, 1), 404, "NoSuchUpload");
  });
}

async function refusals(name, client) {
  const key = `${prefix}/${name}/refused`;
  const content = randomBytes(250 * KIB);

  await check(`${name} is refused with a wrong secret`, async () => {
    const wrong = client({ accessKeySecret: "wrong" });
    await refused(wrong.put(key, content), 403, "SignatureDoesNotMatch");
    // A rejected HEAD has no body; only newer clients read the code from its header.
    await assert.rejects(wrong.head(key), { status: 403 });
  });

  await check(`${name} is refused with an unknown key`, async () => {
    const unknown = client({ accessKeyId: "unknown" });
    await refused(unknown.put(key, content), 403, "InvalidAccessKeyId");
  });

  await check(`${name} is refused with an expired token`, async () => {
    const expired = client(await sandbox.temporaryCredential(-1));
    await refused(expired.put(key, content), 403, "SecurityTokenExpired");
  });

  await check(`${name} is refused with the token of another key`, async () => {
    const [one, other] = [
      await sandbox.temporaryCredential(60),
      await sandbox.temporaryCredential(60),
    ];
    const mixed = client({ ...one, stsToken: other.stsToken });
    await refused(mixed.put(key, content), 403, "AccessKeyIdAndSecurityTokenNotMatch");
    const forged = client({ ...one, stsToken: "forged" });
    await refused(forged.put(key, content), 403, "InvalidSecurityToken");
  });

  await check(`${name} is refused in a bucket that does not exist`, async () => {
    await refused(client({ bucket: "no-such-bucket" }).put(key, content), 404, "NoSuchBucket");
  });

  const oss = client();
  const { uploadId } = await oss.initMultipartUpload(key);
  const upload = async (number, bytes) => {
    const { etag } = await oss.uploadPart(key, uploadId, number, content, 0, bytes);
    return { number, etag };
  };
  const large = await upload(1, 102400);
  const small = await upload(2, 102399);
  const last = await upload(3, 1);
  const complete = (parts) => oss.completeMultipartUpload(key, uploadId, parts);

  await check(`${name} cannot complete with a wrong ETag`, async () => {
    const wrong = { number: 1, etag: `"${"0".repeat(32)}"` };
    await refused(complete([wrong, last]), 400, "InvalidPart");
  });

  await check(`${name} cannot complete with a part that was never sent`, async () => {
    await refused(complete([large, { number: 9, etag: last.etag }]), 400, "InvalidPart");
  });

  await check(`${name} cannot complete with a small part before the last`, async () => {
    await refused(complete([large, small, last]), 400, "EntityTooSmall");
  });

  await check(`${name} cannot complete with parts out of order`, async () => {
    // The client sorts its list, so the request is built without it.
    const params = oss._objectRequestParams("POST", key, {});
    const part = ({ number, etag }) =>
      `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`;
    params.subres = { uploadId };
    const parts = part(last) + part(large);
    params.content = `<CompleteMultipartUpload>${parts}</CompleteMultipartUpload>`;
    params.mime = "xml";
    params.successStatuses = [200];
    await refused(oss.request(params), 400, "InvalidPartOrder");
  });

  await check(`${name} completes once all is right, and no second time`, async () => {
    await complete([large, last]);
    assert.equal((await sandbox.stored(bucket, key)).length, 102401);
    await refused(complete([large, last]), 404, "NoSuchUpload");
  });

  await check(`${name} may not overwrite where it says so`, async () => {
    const headers = { "x-oss-forbid-overwrite": "true" };
    await refused(oss.put(key, content, { headers }), 409, "FileAlreadyExists");
  });

  await check(`${name} is refused with a part number out of range`, async () => {
    const { uploadId: id } = await oss.initMultipartUpload(key);
    await refused(oss.uploadPart(key, id, 10001, content, 0, 10), 400, "InvalidArgument");
    await oss.abortMultipartUpload(key, id);
  });
}

async function presignedUrls() {
  const oss = new OSS(common);
  const key = `${prefix}/presigned/é &+.bin`;
  const content = randomBytes(1000);

  const put = (url) => fetch(url, { method: "PUT", body: content });
  const code = async (reply) => /<Code>(\w+)<\/Code>/.exec(await reply.text())?.[1];
  const signed = {
    V1: (method, expires, client = oss) => client.signatureUrl(key, { method, expires }),
    V4: (method, expires, client = oss) => client.signatureUrlV4(method, expires, {}, key),
  };

  for (const [version, sign] of Object.entries(signed)) {
    await check(`a ${version} presigned URL puts and gets`, async () => {
      assert.equal((await put(await sign("PUT", 60))).status, 200);
      const reply = await fetch(await sign("GET", 60));
      assert.deepEqual(Buffer.from(await reply.arrayBuffer()), content);
    });

    await check(`a ${version} presigned URL works with a temporary credential`, async () => {
      const temporary = new OSS({ ...common, ...(await sandbox.temporaryCredential(3600)) });
      assert.equal((await put(await sign("PUT", 60, temporary))).status, 200);
    });

    await check(`a ${version} presigned URL is refused for another verb`, async () => {
      const reply = await put(await sign("GET", 60));
      assert.deepEqual([reply.status, await code(reply)], [403, "SignatureDoesNotMatch"]);
    });

    await check(`a ${version} presigned URL is refused once it has expired`, async () => {
      const url = await sign("GET", 60);
      await sandbox.call("POST", "clock", { offset_ms: 61_000 });
      const reply = await fetch(url);
      await sandbox.call("POST", "clock", { offset_ms: 0 });
      assert.deepEqual([reply.status, await code(reply)], [403, "AccessDenied"]);
    });
  }
}

async function addressing() {
  const content = randomBytes(150 * KIB);

  await check("ali-oss with an IP endpoint names the bucket in Host only, and works", async () => {
    for (const authorizationV4 of [true, false]) {
      const endpoint = `http://127.0.0.1:${sandbox.port}`;
      const oss = new OSS({ ...common, sldEnable: false, endpoint, authorizationV4 });
      await oss.multipartUpload("by-host.bin", content, { partSize: 100 * KIB });
      assert.deepEqual(await sandbox.stored(bucket, "by-host.bin"), content);
    }
  });

  await check("ali-oss with a bound domain names the bucket nowhere, and works", async () => {
    await sandbox.call("POST", "cname", { host: "localhost", bucket });
    try {
      for (const authorizationV4 of [true, false]) {
        const oss = new OSS({ ...common, sldEnable: false, cname: true, authorizationV4 });
        await oss.multipartUpload("by-cname.bin", content, { partSize: 100 * KIB });
        assert.deepEqual(await sandbox.stored(bucket, "by-cname.bin"), content);
      }
    } finally {
      await sandbox.call("POST", "cname", { host: "localhost" });
    }
  });

  await check("ali-oss with V4 is refused with a region that is not the bucket's", async () => {
    const oss = new OSS({ ...common, region: "cn-beijing", authorizationV4: true });
    await refused(oss.put("elsewhere", content), 400, "InvalidArgument");
  });

  await check("ali-oss with a clock far off is refused", async () => {
    await sandbox.call("POST", "clock", { offset_ms: 16 * 60_000 });
    try {
      for (const authorizationV4 of [true, false]) {
        const oss = new OSS({ ...common, authorizationV4 });
        await refused(oss.put("skewed", content), 403, "RequestTimeTooSkewed");
      }
    } finally {
      await sandbox.call("POST", "clock", { offset_ms: 0 });
    }
  });
}
