// tus-js-client in Node.js.

import assert from "node:assert/strict";
import { createReadStream, symlinkSync } from "node:fs";
import { PassThrough } from "node:stream";

import * as tus from "tus-js-client";

import { MIB } from "./harness/file.mjs";
import { example } from "./harness/examples.mjs";
import { succeed } from "./harness/shell.mjs";

/** For files of 16 MiB: each third has sent its first chunk by then. */
const BREAK_AFTER = 14 * MIB;
const RETRY_DELAYS_MS = [0, 100, 300, 1000, 1000, 2000, 2000];

/** Options of the client with which it sends the same file. */
const WAYS = [
  ["whole", {}],
  ["in chunks", { chunkSize: 3 * MIB }],
  ["with its first bytes in the POST", { uploadDataDuringCreation: true, chunkSize: 3 * MIB }],
  ["by POST instead of PATCH", { overridePatchMethod: true, chunkSize: 5 * MIB }],
  ["in three uploads at a time", { parallelUploads: 3 }],
  ["in three uploads at a time, in chunks", { parallelUploads: 3, chunkSize: 3 * MIB }],
  ["as a stream of unknown length", { uploadLengthDeferred: true, chunkSize: 3 * MIB }],
  ["in the terms of IETF draft 03", { protocol: "ietf-draft-03" }],
  ["in the terms of IETF draft 05", { protocol: "ietf-draft-05" }],
];

const BREAKS = [
  ["", () => {}],
  [" over a cut connection", (harness) => harness.proxy.breakAfter(BREAK_AFTER)],
  [
    " over a crash of the worker",
    (harness, { parallelUploads }) =>
      harness.proxy.breakAfter(BREAK_AFTER, () => harness.crashWorker(parallelUploads)),
  ],
];

export async function runChecks({ harness, checks }) {
  let number = 0;
  for (const [way, options] of WAYS) {
    for (const [fate, breakLine] of BREAKS) {
      number += 1;
      const file = harness.file(`tus-js ${number}.mp4`, 16 * MIB + 12_345);
      await checks.run(`tus-js-client uploads ${way}${fate}`, async () => {
        breakLine(harness, options);
        await harness.expectStored([file], () => upload(harness, file, options));
        if (fate !== "") await harness.proxy.expectBroken();
      });
    }
  }
  await checks.run("tus-js-client uploads as documented", async () => {
    const film = harness.file("film.mp4", 16 * MIB);
    await harness.expectStored([film], async () => {
      const cwd = `${harness.directory}/files`;
      symlinkSync(new URL("node_modules", import.meta.url).pathname, `${cwd}/node_modules`);
      const block = example("js", "new tus.Upload(", harness.origin);
      const printed = await succeed(`node --input-type=module - <<'END'\n${block}\nEND`, { cwd });
      film.mediaId = printed.split(" ")[0];
    });
  });
  await checks.run("tus-js-client resumes an upload that another process began", () =>
    resumedByAnother(harness),
  );
  await checks.run("tus-js-client ends an upload and leaves nothing behind", () =>
    terminated(harness),
  );
}

/** Uploads the complete file and stores the media ID that the client received. */
function upload(harness, file, options) {
  // Not a stream of the file itself: tus-js-client would read the length of the file.
  const streamed = options.uploadLengthDeferred ?? false;
  const source = streamed ? createReadStream(file.path).pipe(new PassThrough()) : file.bytes;
  return new Promise((resolve, reject) => {
    const started = new tus.Upload(source, {
      ...common(harness, file),
      ...options,
      retryDelays: RETRY_DELAYS_MS,
      onAfterResponse: (_request, response) => {
        file.mediaId = response.getHeader("Media-Id") ?? file.mediaId;
      },
      onSuccess: () => resolve(started),
      onError: reject,
    });
    started.start();
  });
}

async function resumedByAnother(harness) {
  const file = harness.file("tus-js resumed.mp4", 16 * MIB + 1);
  const urlStorage = new tus.FileUrlStorage(`${harness.directory}/tus-js.urls`);
  const keeping = { ...common(harness, file), urlStorage, fingerprint: async () => file.name };
  await harness.expectStored([file], async () => {
    harness.proxy.breakAfter(9 * MIB);
    const first = () => new Promise((resolve, reject) => {
      const options = { ...keeping, retryDelays: null, onSuccess: resolve, onError: reject };
      new tus.Upload(file.bytes, options).start();
    });
    await assert.rejects(first(), "the first process is interrupted");
    await harness.proxy.expectBroken();

    let resumedAt;
    await new Promise((resolve, reject) => {
      const second = new tus.Upload(file.bytes, {
        ...keeping,
        retryDelays: RETRY_DELAYS_MS,
        onAfterResponse: (request, response) => {
          const offset = response.getHeader("Upload-Offset");
          if (request.getMethod() === "HEAD") resumedAt ??= Number(offset);
          file.mediaId = response.getHeader("Media-Id") ?? file.mediaId;
        },
        onSuccess: resolve,
        onError: reject,
      });
      second.findPreviousUploads().then(([previous]) => {
        assert.ok(previous, "the first process has kept the address");
        second.resumeFromPreviousUpload(previous);
        second.start();
      }).catch(reject);
    });
    assert.ok(resumedAt > 6 * MIB && resumedAt < 9 * MIB, `resumed at ${resumedAt}`);
  });
}

async function terminated(harness) {
  const file = harness.file("tus-js terminated.mp4", 16 * MIB);
  await harness.expectNothingStored(async () => {
    const url = await new Promise((resolve, reject) => {
      const started = new tus.Upload(file.bytes, {
        ...common(harness, file),
        chunkSize: 4 * MIB,
        onChunkComplete: () => started.abort(true).then(() => resolve(started.url), reject),
        onSuccess: () => reject(new Error("it was not stopped")),
        onError: reject,
      });
      started.start();
    });
    const headers = { "Tus-Resumable": "1.0.0" };
    const { status } = await fetch(url, { method: "HEAD", headers });
    assert.ok(status === 404 || status === 410, `HEAD answers ${status}`);
  });
}

function common(harness, file) {
  return {
    endpoint: `${harness.origin}/v1/files`,
    metadata: { filename: file.name, filetype: "video/mp4" },
  };
}
