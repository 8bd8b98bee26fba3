// A program of this project that serves HTTP, and ends with this process.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { createInterface } from "node:readline";

const running = new Set();

// Also after an error that nobody caught; a signal is made an exit, so that this runs.
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => process.exit(1));
}

/** A started program. */
export class Server {
  /** Starts it, its log going to the end of the file `log`, and waits until it listens. */
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
      throw new Error(`${program} said ${line} instead of where it listens: see ${log}`);
    }
    return new Server(child, ended, new URL(line.slice("listening ".length)));
  }

  constructor(child, ended, url) {
    this.child = child;
    this.ended = ended;
    this.url = url;
    this.origin = url.origin;
  }

  /** Ends it as a crash would. */
  async kill() {
    this.child.kill("SIGKILL");
    await this.ended;
    running.delete(this.child);
  }
}

async function firstLine(child) {
  // What comes after it is read, too, so that the program never waits for a reader.
  const [line] = await once(createInterface(child.stdout), "line");
  return line;
}
