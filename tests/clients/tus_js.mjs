// tus-js-client in Node.js.

import assert from "node:assert/strict";
import { createReadStream, symlinkSync } from "node:fs";
import { PassThrough } from "node:stream";

import * as tus from "tus-js-client";

import { MIB } from "./stage/file.mjs";
import { example } from "./stage/examples.mjs";
import { succeed } from "./stage/shell.mjs";

/** Of files of 16 MiB: each third of one has had its first chunk by then. */
const BREAK_AFTER = 14 * MIB;
const RETRY_DELAYS_MS = [0, 100, 300, 1000, 1000, 2000, 2000];

/** How the client can be told to send the same file. */
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
  [" over a cut connection", (stage) => stage.proxy.breakAfter(BREAK_AFTER)],
  [
    " over a crash of the worker",
    (stage, { parallelUploads }) =>
      stage.proxy.breakAfter(BREAK_AFTER, () => stage.crashWorker(parallelUploads)),
  ],
];

export async function play({ stage, checks }) {
  let number = 0;
  for (const [way, options] of WAYS) {
    for (const [fate, breakLine] of BREAKS) {
      number += 1;
      const file = stage.file(`tus-js ${number}.mp4`, 16 * MIB + 12_345);
      await checks.run(`tus-js-client uploads ${way}${fate}`, async () => {
        breakLine(stage, options);
        await stage.expectStored([file], () => upload(stage, file, options));
        if (fate !== "") await stage.proxy.expectBroken();
      });
    }
  }
  await checks.run("tus-js-client uploads as documented", async () => {
    const film = stage.file("film.mp4", 16 * MIB);
    await stage.expectStored([film], async () => {
      const cwd = `${stage.folder}/files`;
      symlinkSync(new URL("node_modules", import.meta.url).pathname, `${cwd}/node_modules`);
      const block = example("js", "new tus.Upload(", stage.origin);
      const printed = await succeed(`node --input-type=module - <<'END'\n${block}\nEND`, { cwd });
      film.mediaId = printed.split(" ")[0];
    });
  });
  await checks.run("tus-js-client resumes an upload that another process began", () =>
    resumedByAnother(stage),
  );
  await checks.run("tus-js-client ends an upload and leaves nothing behind", () =>
    terminated(stage),
  );
}

/** Uploads the file to the end and keeps the media id that the client saw. */
function upload(stage, file, options) {
  // A stream of a file itself would not do: tus-js-client asks the file for its length.
  const streamed = options.uploadLengthDeferred ?? false;
  const source = streamed ? createReadStream(file.path).pipe(new PassThrough()) : file.bytes;
  return new Promise((resolve, reject) => {
    const started = new tus.Upload(source, {
      ...common(stage, file),
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

async function resumedByAnother(stage) {
  const file = stage.file("tus-js resumed.mp4", 16 * MIB + 1);
  const urlStorage = new tus.FileUrlStorage(`${stage.folder}/tus-js.urls`);
  const keeping = { ...common(stage, file), urlStorage, fingerprint: async () => file.name };
  await stage.expectStored([file], async () => {
    stage.proxy.breakAfter(9 * MIB);
    const first = () => new Promise((resolve, reject) => {
      const options = { ...keeping, retryDelays: null, onSuccess: resolve, onError: reject };
      new tus.Upload(file.bytes, options).start();
    });
    await assert.rejects(first(), "the first process is cut off");
    await stage.proxy.expectBroken();

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

async function terminated(stage) {
  const file = stage.file("tus-js terminated.mp4", 16 * MIB);
  await stage.expectNothingStored(async () => {
    const url = await new Promise((resolve, reject) => {
      const started = new tus.Upload(file.bytes, {
        ...common(stage, file),
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

function common(stage, file) {
  return {
    endpoint: `${stage.origin}/v1/files`,
    metadata: { filename: file.name, filetype: "video/mp4" },
  };
}
