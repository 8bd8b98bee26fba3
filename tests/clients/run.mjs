// Unmodified clients against the worker: they upload, are interrupted, resume, and the stored
// object is compared with the file byte by byte.
//
//   node run.mjs tus-js --sandbox PROGRAM --devhost PROGRAM --manifest spin.toml --data DIRECTORY

import { parseArgs } from "node:util";

import { Checks } from "./harness/checks.mjs";
import { Harness } from "./harness/harness.mjs";

/** Each exports `prepare`, which returns options of the harness or nothing, and `runChecks`. */
const SUITES = {
  "tus-js": () => import("./tus_js.mjs"),
  browser: () => import("./browser.mjs"),
  python: () => import("./python.mjs"),
  curl: () => import("./curl.mjs"),
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sandbox: { type: "string" },
    devhost: { type: "string" },
    manifest: { type: "string" },
    data: { type: "string" },
    // Runs only the checks whose sentences contain this.
    only: { type: "string", default: "" },
    // For the suites that need one.
    chromium: { type: "string" },
    python: { type: "string" },
  },
});
const load = SUITES[positionals[0]];
if (!load || !(values.sandbox && values.devhost && values.manifest && values.data)) {
  console.error(`usage: node run.mjs ${Object.keys(SUITES).join("|")} --sandbox PROGRAM …`);
  process.exit(2);
}

const suite = await load();
const setup = await suite.prepare?.(values);
const harness = await Harness.start({ ...values, directory: values.data, ...setup });
const checks = new Checks(harness, values.only);
await suite.runChecks({ ...values, ...setup, harness, checks });
await checks.run("the worker never trapped", async () => harness.worker.expectNoTrap());
process.exit(checks.finish());
