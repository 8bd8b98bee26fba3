// tus-js-client in Chromium.

import { MIB } from "../stage/file.mjs";
import { playResumable } from "./resumable.mjs";

const WAYS = [
  ["whole", {}],
  ["in chunks", { chunkSize: 3 * MIB }],
  ["in three uploads at a time", { parallelUploads: 3 }],
];

export function play(setting) {
  return playResumable({ ...setting, name: "tus-js-client", path: "/tus", ways: WAYS });
}
