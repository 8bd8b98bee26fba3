// The checks of the clients that speak tus: they differ in their pages only.

import assert from "node:assert/strict";

import { MIB } from "../stage/file.mjs";

/** Of files of 16 MiB: each third of one has had its first chunk by then. */
const BREAK_AFTER = 14 * MIB;
const RETRY_DELAYS_MS = [0, 100, 300, 1000, 1000, 2000, 2000];

/** Runs the checks of the client called `name` on its page. */
export async function playResumable({ stage, checks, open, name, path, ways }) {
  const endpoint = `${stage.origin}/v1/files`;
  let number = 0;
  const newFile = () => {
    number += 1;
    return stage.file(`${path.slice(1)} ${number}.mp4`, 16 * MIB + number);
  };

  for (const [way, options] of ways) {
    for (const [fate, action] of [
      ["", undefined],
      [" over a cut connection", () => stage.proxy.cut()],
      [" over a crash of the worker", () => stage.crashWorker(options.parallelUploads)],
    ]) {
      const file = newFile();
      await checks.run(`${name} in Chromium uploads ${way}${fate}`, () =>
        stage.expectStored([file], async () => {
          const page = await open(path);
          await page.setInputFiles("input", file.path);
          if (action) stage.proxy.breakAfter(BREAK_AFTER, action);
          const seen = await page.evaluate((options) => window.upload(options), {
            endpoint,
            retryDelays: RETRY_DELAYS_MS,
            ...options,
          });
          if (action) await stage.proxy.expectBroken();
          assert.ok(seen.mediaId, "the page sees the media id");
          file.mediaId = seen.mediaId;
        }),
      );
    }
  }

  const file = newFile();
  await checks.run(`${name} in Chromium resumes after the page was loaded again`, () =>
    stage.expectStored([file], async () => {
      const page = await open(path);
      await page.setInputFiles("input", file.path);
      const options = { endpoint, retryDelays: RETRY_DELAYS_MS };
      const broken = new Promise((resolve) => stage.proxy.breakAfter(BREAK_AFTER, resolve));
      // It never ends: the page goes away under it.
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
