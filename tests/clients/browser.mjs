// Clients in Chromium, on pages of another origin than the worker's.

import { chromium } from "playwright-core";

import * as filepond from "./browser/filepond.mjs";
import * as form from "./browser/form.mjs";
import { PageServer } from "./browser/page_server.mjs";
import * as tusJs from "./browser/tus_js.mjs";
import * as uppy from "./browser/uppy.mjs";

/** The worker allows the origin of the pages. */
export async function prepare() {
  const pages = await PageServer.start();
  return { pages, browserOrigin: pages.origin };
}

export async function runChecks({ harness, checks, pages, chromium: executablePath }) {
  const browser = await chromium.launch({
    executablePath,
    // The sandbox of Chromium does not work for root.
    chromiumSandbox: process.getuid() !== 0,
    args: ["--no-proxy-server"],
  });
  const pageOrigin = pages.origin;
  const setting = { harness, checks, pageOrigin, open: (path) => open(browser, pageOrigin + path) };
  try {
    for (const client of [tusJs, uppy, filepond, form]) {
      await client.runChecks(setting);
    }
  } finally {
    await browser.close();
  }
}

/** A page with a new profile. Closes the pages of earlier checks with their requests. */
async function open(browser, url) {
  await Promise.all(browser.contexts().map((context) => context.close()));
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(url);
  return page;
}
