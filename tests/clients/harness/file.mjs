// Files to upload.

import { createCipheriv, createHash } from "node:crypto";
import { writeFileSync } from "node:fs";

/** Deterministic bytes that differ between files. */
export function content(name, bytes) {
  const key = createHash("sha256").update(name).digest();
  return createCipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(bytes));
}

/** Creates a file of such bytes in `directory`. */
export function makeFile(directory, name, bytes) {
  const file = { name, path: `${directory}/${name}`, bytes: content(name, bytes) };
  writeFileSync(file.path, file.bytes);
  return file;
}

export const MIB = 1024 * 1024;
