// The checks of the tus clients, which differ only in their pages.

import assert from "node:assert/strict";

import { MIB } from "../harness/file.mjs";

/** For files of 16 MiB: each third has sent its first chunk by then. */
const BREAK_AFTER = 14 * MIB;
const RETRY_DELAYS_MS = [0, 100, 300, 1000, 1000, 2000, 2000];

/** Runs the checks of the client called `name` on its page. */
export async function checkResumable({ harness, checks, open, name, path, ways }) {
  const endpoint = `${harness.origin}/v1/files`;
  let number = 0;
  const newFile = () => {
    number += 1;
    return harness.file(`${path.slice(1)} ${number}.mp4`, 16 * MIB + number);
  };

  for (const [way, options] of ways) {
    for (const [fate, action] of [
      ["", undefined],
      [" over a cut connection", () => harness.proxy.cut()],
      [" over a crash of the worker", () => harness.crashWorker(options.parallelUploads)],
    ]) {
      const file = newFile();
      await checks.run(`${name} in Chromium uploads ${way}${fate}`, () =>
        harness.expectStored([file], async () => {
          const page = await open(path);
          await page.setInputFiles("input", file.path);
          if (action) harness.proxy.breakAfter(BREAK_AFTER, action);
          const seen = await page.evaluate((options) => window.upload(options), {
            endpoint,
            retryDelays: RETRY_DELAYS_MS,
            ...options,
          });
          if (action) await harness.proxy.expectBroken();
          assert.ok(seen.mediaId, "the page sees the media ID");
          file.mediaId = seen.mediaId;
        }),
      );
    }
  }

  const file = newFile();
  await checks.run(`${name} in Chromium resumes after the page was loaded again`, () =>
    harness.expectStored([file], async () => {
      const page = await open(path);
      await page.setInputFiles("input", file.path);
      const options = { endpoint, retryDelays: RETRY_DELAYS_MS };
      const broken = new Promise((resolve) => harness.proxy.breakAfter(BREAK_AFTER, resolve));
      // Never settles, because the page is closed.
      await page.evaluate((options) => void window.upload(options), options);
      await broken;
      await page.reload();
      await page.setInputFiles("input", file.path);
      const seen = await page.evaluate((options) => window.upload(options), options);
      assert.ok(seen.resumedAt > 0, `resumed at ${seen.resumedAt}`);
      file.mediaId = seen.mediaId;
    }),
  );
}
