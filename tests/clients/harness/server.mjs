// A server of this project, which ends with this process.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { createInterface } from "node:readline";

const running = new Set();

// Also runs after an uncaught error. Signals exit explicitly, so that it runs for them, too.
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => process.exit(1));
}

/** A started program. */
export class Server {
  /** Starts it, appends its log to the file `log`, and waits until it listens. */
  static async start(program, args, { environment = {}, log }) {
    const child = spawn(program, args, {
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", openSync(log, "a")],
    });
    running.add(child);
    const ended = new Promise((resolve) => child.once("close", resolve));
    const line = await Promise.race([firstLine(child), ended.then(() => "nothing")]);
    if (!line.startsWith("listening ")) {
      child.kill("SIGKILL");
      throw new Error(`${program} printed ${line} instead of its address: see ${log}`);
    }
    return new Server(child, ended, new URL(line.slice("listening ".length)));
  }

  constructor(child, ended, url) {
    this.child = child;
    this.ended = ended;
    this.url = url;
    this.origin = url.origin;
  }

  /** Kills it, as a crash would. */
  async kill() {
    this.child.kill("SIGKILL");
    await this.ended;
    running.delete(this.child);
  }
}

async function firstLine(child) {
  // The interface reads the rest, too, so that the program never blocks on its output.
  const [line] = await once(createInterface(child.stdout), "line");
  return line;
}
