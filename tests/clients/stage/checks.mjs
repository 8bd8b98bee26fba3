// Runs checks one after another and counts them. A check is a sentence and a function that throws.

import { setTimeout as sleep } from "node:timers/promises";

export class Checks {
  /** Of the checks with `only` in their sentence; `stage` shows what was said when one fails. */
  constructor(stage, only) {
    this.stage = stage;
    this.only = only;
    this.passed = 0;
    this.failed = 0;
  }

  async run(sentence, body) {
    if (!sentence.includes(this.only)) return;
    this.stage.proxy.takeHeads();
    const begin = Date.now();
    try {
      await Promise.race([body(), expire()]);
      this.passed += 1;
      console.log(`ok ${sentence} (${Date.now() - begin} ms)`);
    } catch (error) {
      this.failed += 1;
      console.log(`FAILED ${sentence}: ${`${error.name}: ${error.message}`.replaceAll("\n", " ")}`);
      for (const head of this.stage.proxy.takeHeads()) console.log(`    ${head}`);
    } finally {
      this.stage.proxy.disarm();
    }
  }

  /** Prints the totals and returns the exit status. */
  finish() {
    console.log(`${this.passed} passed, ${this.failed} failed`);
    return this.failed === 0 ? 0 : 1;
  }
}

async function expire() {
  // Does not keep the process: a check that ends in time leaves it behind.
  await sleep(CHECK_LIMIT_MS, undefined, { ref: false });
  throw new Error(`not over after ${CHECK_LIMIT_MS / 1000} s`);
}

const CHECK_LIMIT_MS = 60_000;
