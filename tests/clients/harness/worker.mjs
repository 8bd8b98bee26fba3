// The worker on the local host.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { BUCKET } from "./sandbox.mjs";
import { Server } from "./server.mjs";

/** Runs the worker of a manifest, with its state in `directory`, in front of a sandbox. */
export class Worker {
  constructor({ devhost, manifest, directory, sandbox, browserOrigin }) {
    this.devhost = devhost;
    this.args = ["--manifest", manifest, "--listen", "127.0.0.1:0", "--data", `${directory}/host`];
    this.log = `${directory}/host.log`;
    this.environment = {
      SPIN_VARIABLE_VOD_ACCESS_KEY_ID: "sandbox-key",
      SPIN_VARIABLE_VOD_ACCESS_KEY_SECRET: "sandbox-secret",
      SPIN_VARIABLE_VOD_ENDPOINT: sandbox.origin,
      SPIN_VARIABLE_STORE_ORIGIN: sandbox.origin,
      SPIN_VARIABLE_CLIENT_CREDENTIALS: "on",
      SPIN_VARIABLE_SEAL_KEY: Buffer.alloc(32, 7).toString("base64"),
      SPIN_VARIABLE_TEMPORARY_BUCKET: BUCKET,
      SPIN_VARIABLE_TEMPORARY_ENDPOINT: sandbox.origin,
      SPIN_VARIABLE_CORS_ORIGINS: browserOrigin,
      SPIN_VARIABLE_ALLOWED_ORIGINS: browserOrigin,
    };
  }

  /** Starts it, and waits until it responds. */
  async start() {
    const { environment, log } = this;
    this.server = await Server.start(this.devhost, this.args, { environment, log });
    this.port = Number(this.server.url.port);
    const deadline = Date.now() + START_LIMIT_MS;
    while (!(await isHealthy(this.server.origin))) {
      if (Date.now() > deadline) throw new Error(`the worker is not healthy: see ${log}`);
      await sleep(POLL_MS);
    }
  }

  /** Kills it, as a crash would. */
  kill() {
    return this.server.kill();
  }

  /** Checks that the component has not trapped. */
  expectNoTrap() {
    const lines = readFileSync(this.log, "utf8").split("\n");
    assert.deepEqual(lines.filter((line) => line.includes("component trapped")), []);
  }
}

async function isHealthy(origin) {
  const reply = await fetch(`${origin}/healthz`).catch(() => undefined);
  return reply?.ok ?? false;
}

/** The first start compiles the component. */
const START_LIMIT_MS = 120_000;
const POLL_MS = 20;
