// Shell commands.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

/** Runs a shell script in `cwd`. Fails only if there is no shell. */
export async function shell(script, { cwd, path = [], variables = {} }) {
  const search = [...path, process.env.PATH].join(":");
  const child = spawn("sh", ["-c", script], {
    cwd,
    env: { ...process.env, ...variables, PATH: search, PYTHONUNBUFFERED: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "close");
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [status] = await ended;
  return { status, stdout, stderr };
}

/** Like `shell`, but fails unless the script succeeds. Returns its standard output. */
export async function succeed(script, options) {
  const { status, stdout, stderr } = await shell(script, options);
  if (status === 0) return stdout;
  throw new Error(`status ${status} of: ${script}\n${stdout}${stderr.slice(-2000)}`);
}
