// FilePond in Chromium.

import assert from "node:assert/strict";

import { MIB } from "../harness/file.mjs";

const CHUNKED = {
  chunkUploads: true,
  chunkSize: 3 * MIB,
  chunkRetryDelays: [100, 300, 1000, 2000, 2000],
};

export async function runChecks({ harness, checks, open }) {
  const url = `${harness.origin}/v1/filepond`;

  /** Uploads in a new page. */
  const upload = async (file, options, action) => {
    const page = await open("/filepond");
    await page.setInputFiles("input", file.path);
    if (action) harness.proxy.breakAfter(10 * MIB, action);
    const seen = await page.evaluate(([...args]) => window.upload(...args), [url, options]);
    if (action) await harness.proxy.expectBroken();
    file.mediaId = seen.mediaId;
  };

  const cases = [
    ["in chunks", 16 * MIB + 1, CHUNKED, undefined],
    ["in chunks that come out even", 15 * MIB, CHUNKED, undefined],
    ["in chunks over a cut connection", 16 * MIB + 2, CHUNKED, () => harness.proxy.cut()],
    ["in chunks over a crash of the worker", 16 * MIB + 3, CHUNKED, () => harness.crashWorker()],
    ["in one request", 8 * MIB + 1, {}, undefined],
    ["a short file as a chunk", 50_000, { ...CHUNKED, chunkForce: true }, undefined],
  ];
  for (const [index, [way, bytes, options, action]] of cases.entries()) {
    const file = harness.file(`filepond ${index}.mp4`, bytes);
    await checks.run(`FilePond in Chromium uploads ${way}`, () =>
      harness.expectStored([file], async () => {
        await upload(file, options, action);
        if (options.chunkUploads) assert.ok(file.mediaId, "the page sees the media ID");
      }),
    );
  }

  const again = harness.file("filepond again.mp4", 16 * MIB + 4);
  await checks.run("FilePond in Chromium resumes when the user tries again", () =>
    harness.expectStored([again], async () => {
      const page = await open("/filepond");
      await page.setInputFiles("input", again.path);
      // Chromium retries a chunk automatically before it reports an error to the page.
      harness.proxy.cutAfterEvery(MIB, 10 * MIB);
      const once = [url, { ...CHUNKED, chunkRetryDelays: [] }];
      await assert.rejects(page.evaluate(([...args]) => window.upload(...args), once));
      await harness.proxy.expectBroken();
      harness.proxy.disarm();
      const seen = await page.evaluate(() => window.uploadAgain());
      again.mediaId = seen.mediaId;
    }),
  );
}
