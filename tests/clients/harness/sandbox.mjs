// The sandbox and its control requests.

import { Server } from "./server.mjs";

/** A sandbox with its files in `directory`. */
export class Sandbox {
  static async start(program, directory) {
    const args = ["--listen", "127.0.0.1:0", "--data", `${directory}/sandbox`];
    const sandbox = new Sandbox();
    sandbox.server = await Server.start(program, args, { log: `${directory}/sandbox.log` });
    sandbox.origin = sandbox.server.origin;
    return sandbox;
  }

  /** Every stored object: `key`, `size` and so on. */
  objects() {
    return this.#json(`objects/${BUCKET}`);
  }

  /** The open multipart uploads. */
  uploads() {
    return this.#json("uploads");
  }

  /** The media that VOD has issued: `id`, `key`, `parameters`. */
  media() {
    return this.#json("media");
  }

  /** The stored bytes of an object. */
  async stored(key) {
    const reply = await this.#reply(`objects/${BUCKET}/${key}`);
    return Buffer.from(await reply.arrayBuffer());
  }

  async #json(path) {
    return (await this.#reply(path)).json();
  }

  async #reply(path) {
    const reply = await fetch(`${this.origin}/_sandbox/${path}`);
    if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
    return reply;
  }
}

/** The bucket of the sandbox. */
export const BUCKET = "sandbox-bucket";
