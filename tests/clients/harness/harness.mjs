// The common parts of the suites: a sandbox, the worker, the proxy in front of it, assertions.

import assert from "node:assert/strict";
import { mkdirSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { makeFile } from "./file.mjs";
import { Proxy } from "./proxy.mjs";
import { Sandbox } from "./sandbox.mjs";
import { Worker } from "./worker.mjs";

export class Harness {
  /** Starts everything, with its files in `directory`, which is emptied first. */
  static async start({ sandbox, devhost, manifest, directory, browserOrigin = "" }) {
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(`${directory}/files`, { recursive: true });
    const harness = new Harness();
    harness.directory = directory;
    harness.sandbox = await Sandbox.start(sandbox, directory);
    const setup = { devhost, manifest, directory, sandbox: harness.sandbox, browserOrigin };
    harness.worker = new Worker(setup);
    harness.proxy = await Proxy.start();
    await harness.startWorker();
    return harness;
  }

  /** The worker as clients reach it: through the proxy. */
  get origin() {
    return this.proxy.origin;
  }

  /** Creates a file to upload. */
  file(name, bytes) {
    return makeFile(`${this.directory}/files`, name, bytes);
  }

  async startWorker() {
    await this.worker.start();
    this.proxy.forwardTo(this.worker.port);
  }

  /**
   * Kills the worker's host with SIGKILL once this many uploads have a part or an object in OSS,
   * and restarts it with the same state. Earlier, OSS may have a multipart upload that no
   * checkpoint contains yet and that the worker could not abort.
   */
  async crashWorker(uploads = 1) {
    await eventually(`${uploads} uploads have a part or an object`, async () => {
      const started = (await this.#uploadsSince()).filter(({ parts }) => parts.length > 0);
      return started.length + (await this.#objectsSince()).length >= uploads;
    });
    await this.restartWorker();
  }

  /** The same once the worker has recorded bytes of the upload with this URL. */
  async crashWorkerAfterProgress(upload) {
    await eventually("the worker has recorded bytes", async () => {
      const { headers } = await fetch(upload);
      return Number(headers.get("upload-offset")) > 0;
    });
    await this.restartWorker();
  }

  async restartWorker() {
    await this.worker.kill();
    await this.startWorker();
  }

  /** Runs `upload` and checks that it stored these complete files and nothing else. */
  async expectStored(files, upload) {
    await this.#begin();
    const result = await upload();
    const added = await this.#objectsSince();
    const media = await this.sandbox.media();
    const stored = new Map();
    for (const { key } of added) {
      stored.set(titleOf(media, key), { key, bytes: await this.sandbox.stored(key) });
    }
    assert.equal(added.length, files.length, `objects: ${added.map(({ key }) => key)}`);
    for (const file of files) {
      const object = stored.get(file.name);
      assert.ok(object, `${file.name} is none of ${[...stored.keys()]}`);
      assert.equal(object.bytes.length, file.bytes.length, `the size of ${file.name}`);
      assert.ok(object.bytes.equals(file.bytes), `the bytes of ${file.name} differ`);
      if (file.mediaId !== undefined) {
        assert.equal(media.find(({ key }) => key === object.key).id, file.mediaId);
      }
    }
    await this.#expectNoneOpen();
    return result;
  }

  /** Runs `attempt` and checks that it leaves no object and no multipart upload. */
  async expectNothingStored(attempt) {
    await this.#begin();
    await attempt();
    await this.#expectNoneOpen();
    assert.deepEqual(await this.#objectsSince(), []);
  }

  /** Records what is stored before an upload. */
  async #begin() {
    this.keysBefore = new Set((await this.sandbox.objects()).map(({ key }) => key));
    this.uploadsBefore = new Set((await this.sandbox.uploads()).map((open) => open.upload_id));
  }

  async #objectsSince() {
    return (await this.sandbox.objects()).filter(({ key }) => !this.keysBefore.has(key));
  }

  async #uploadsSince() {
    const uploads = await this.sandbox.uploads();
    return uploads.filter((open) => !this.uploadsBefore.has(open.upload_id));
  }

  async #expectNoneOpen() {
    let open;
    const noneOpen = async () => {
      open = await this.#uploadsSince();
      return open.length === 0;
    };
    await eventually("no multipart upload is left", noneOpen).catch((error) => {
      const left = open.map(({ key, parts }) => `${key} with ${parts.length} parts`);
      throw new Error(`${error.message}: ${left.join(", ")}`);
    });
  }
}

/** Waits until `condition` holds. `sentence` describes it in the error. */
export async function eventually(sentence, condition) {
  const deadline = Date.now() + SETTLE_LIMIT_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${SETTLE_LIMIT_MS} ms: ${sentence}`);
    await sleep(POLL_MS);
  }
}

function titleOf(media, key) {
  const found = media.find((one) => one.key === key);
  return found?.parameters.FileName ?? key;
}

const SETTLE_LIMIT_MS = 10_000;
const POLL_MS = 20;
