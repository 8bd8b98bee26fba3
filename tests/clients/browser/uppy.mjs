// Uppy with its tus plugin in Chromium.

import { MIB } from "../stage/file.mjs";
import { playResumable } from "./resumable.mjs";

const WAYS = [
  ["whole", {}],
  ["in chunks", { chunkSize: 5 * MIB }],
];

export function play(setting) {
  return playResumable({ ...setting, name: "Uppy", path: "/uppy", ways: WAYS });
}
