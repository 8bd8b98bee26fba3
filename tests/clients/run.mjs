// Other people's clients against the worker: they upload, are cut in the middle, resume, and what
// is on the store is compared byte for byte.
//
//   node run.mjs tus-js --sandbox PROGRAM --devhost PROGRAM --manifest spin.toml --folder FOLDER

import { parseArgs } from "node:util";

import { Checks } from "./stage/checks.mjs";
import { Stage } from "./stage/stage.mjs";

/** Each exports `prepare`, which returns more of the stage's setup (or nothing), and `play`. */
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
    folder: { type: "string" },
    // Runs only the checks whose sentences have this in them.
    only: { type: "string", default: "" },
    // Of the suites that need one.
    chromium: { type: "string" },
    python: { type: "string" },
  },
});
const load = SUITES[positionals[0]];
if (!load || !(values.sandbox && values.devhost && values.manifest && values.folder)) {
  console.error(`usage: node run.mjs ${Object.keys(SUITES).join("|")} --sandbox PROGRAM …`);
  process.exit(2);
}

const suite = await load();
const setup = await suite.prepare?.(values);
const stage = await Stage.start({ ...values, ...setup });
const checks = new Checks(stage, values.only);
await suite.play({ ...values, ...setup, stage, checks });
await checks.run("the worker never trapped", async () => stage.worker.expectNoTrap());
process.exit(checks.finish());
