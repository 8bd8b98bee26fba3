// An HTML form without any script, submitted by Chromium.

import assert from "node:assert/strict";

import { MIB } from "../harness/file.mjs";

export async function runChecks({ harness, checks, open, pageOrigin }) {
  const action = `${harness.origin}/v1/uploads`;
  const thanks = `${pageOrigin}/thanks?from=form`;

  const fill = async (files, redirect) => {
    const page = await open(`/form?${new URLSearchParams({ action, redirect })}`);
    const [film, ...more] = files.map(({ path }) => path);
    await page.setInputFiles("input[name=film]", film);
    await page.setInputFiles("input[name=more]", more);
    return page;
  };

  /** Submits the form and waits for the next page. */
  const submit = async (page) => {
    const [response] = await Promise.all([page.waitForNavigation(), page.click("button")]);
    assert.ok(response.ok(), `status ${response.status()}: ${await page.textContent("body")}`);
    return response;
  };

  const newFiles = (name) => [
    harness.file(`${name} film.mp4`, 9 * MIB + 1),
    harness.file(`${name} zwei ä.mp4`, 3 * MIB),
    harness.file(`${name} drei.mp4`, 70_000),
  ];

  const shown = newFiles("shown");
  await checks.run("a form in Chromium uploads several files and shows what became of them", () =>
    harness.expectStored(shown, async () => {
      const page = await fill(shown, "");
      const response = await submit(page);
      assert.match(response.headers()["content-type"], /^text\/html/);
      const text = await page.textContent("body");
      for (const { name } of shown) assert.ok(text.includes(name), `${name} is not in ${text}`);
      const mediaIds = await page.locator('dt:text-is("Media ID") + dd').allTextContents();
      assert.equal(mediaIds.length, shown.length, text);
      for (const [index, file] of shown.entries()) file.mediaId = mediaIds[index];
      const media = await harness.sandbox.media();
      const { parameters } = media.find(({ id }) => id === mediaIds[0]);
      assert.equal(parameters.Title, "Ferien & Meer");
    }),
  );

  const redirected = newFiles("redirected");
  await checks.run("a form in Chromium is sent on to the page that it names", () =>
    harness.expectStored(redirected, async () => {
      const page = await fill(redirected, thanks);
      await submit(page);
      assert.ok(page.url().startsWith(thanks), page.url());
      const mediaIds = new URL(page.url()).searchParams.getAll("media_id");
      assert.equal(mediaIds.length, redirected.length, page.url());
      for (const [index, file] of redirected.entries()) file.mediaId = mediaIds[index];
    }),
  );

  const cut = newFiles("cut");
  await checks.run("an interrupted form in Chromium leaves nothing behind", () =>
    harness.expectNothingStored(async () => {
      const page = await fill(cut, "");
      // Chromium retries automatically before it reports an error.
      harness.proxy.cutAfterEvery(7 * MIB);
      const failed = page.waitForEvent("requestfailed");
      await page.click("button");
      await failed;
      await harness.proxy.expectBroken();
    }),
  );

  await checks.run("an interrupted form in Chromium succeeds the second time", () =>
    harness.expectStored(cut, async () => {
      const page = await fill(cut, "");
      await submit(page);
    }),
  );
}
