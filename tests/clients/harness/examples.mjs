// The examples in README.md and docs/, which must work unmodified.

import { readFileSync, readdirSync } from "node:fs";

/** The one example in `language` that contains `text`, for the worker at `origin`. */
export function example(language, text, origin, sandboxOrigin = SANDBOX_ORIGIN) {
  const found = PAGES.flatMap((page) => blocksOf(page))
    .filter((block) => block[1] === language && block[2].includes(text));
  if (found.length !== 1) throw new Error(`${found.length} examples contain ${text}`);
  return found[0][2]
    .replaceAll(WORKER_ORIGIN, origin)
    .replaceAll(SANDBOX_ORIGIN, sandboxOrigin);
}

function blocksOf(page) {
  return [...readFileSync(page, "utf8").matchAll(/^```(\w+)\n(.*?)^```/gms)];
}

/** The addresses of `cargo xtask up`. */
const WORKER_ORIGIN = "http://127.0.0.1:3000";
const SANDBOX_ORIGIN = "http://127.0.0.1:9000";

const ROOT = new URL("../../../", import.meta.url);
const PAGES = [
  new URL("README.md", ROOT),
  ...readdirSync(new URL("docs/", ROOT))
    .filter((name) => name.endsWith(".md"))
    .map((name) => new URL(`docs/${name}`, ROOT)),
];
