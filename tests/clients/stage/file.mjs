// Files to upload.

import { createCipheriv, createHash } from "node:crypto";
import { writeFileSync } from "node:fs";

/** Bytes that no two files share, and that are the same at every run. */
export function content(name, bytes) {
  const key = createHash("sha256").update(name).digest();
  return createCipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(bytes));
}

/** Makes a file of such content in `folder`. */
export function makeFile(folder, name, bytes) {
  const file = { name, path: `${folder}/${name}`, bytes: content(name, bytes) };
  writeFileSync(file.path, file.bytes);
  return file;
}

export const MIB = 1024 * 1024;
