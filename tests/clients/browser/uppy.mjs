// Uppy with its tus plugin in Chromium.

import { MIB } from "../harness/file.mjs";
import { checkResumable } from "./resumable.mjs";

const WAYS = [
  ["whole", {}],
  ["in chunks", { chunkSize: 5 * MIB }],
];

export function runChecks(setting) {
  return checkResumable({ ...setting, name: "Uppy", path: "/uppy", ways: WAYS });
}
