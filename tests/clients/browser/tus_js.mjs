// tus-js-client in Chromium.

import { MIB } from "../harness/file.mjs";
import { checkResumable } from "./resumable.mjs";

const WAYS = [
  ["whole", {}],
  ["in chunks", { chunkSize: 3 * MIB }],
  ["in three uploads at a time", { parallelUploads: 3 }],
];

export function runChecks(setting) {
  return checkResumable({ ...setting, name: "tus-js-client", path: "/tus", ways: WAYS });
}
