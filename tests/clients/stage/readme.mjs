// The examples of the README, which have to work as they are pasted.

import { readFileSync } from "node:fs";

/** The example in `language` with `telling` in it, at the worker of `origin`. */
export function example(readme, language, telling, origin) {
  const blocks = readFileSync(readme, "utf8").matchAll(/^```(\w+)\n(.*?)^```/gms);
  const found = [...blocks].filter((block) => block[1] === language && block[2].includes(telling));
  if (found.length !== 1) throw new Error(`${found.length} examples with ${telling} in ${readme}`);
  return found[0][2].replaceAll(README_ORIGIN, origin);
}

/** Where `cargo xtask up` serves. */
const README_ORIGIN = "http://127.0.0.1:3000";
