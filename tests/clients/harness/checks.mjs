// Runs checks one after another and counts them. A check is a sentence and a function that throws.

import { setTimeout as sleep } from "node:timers/promises";

export class Checks {
  /** Runs the checks whose sentences contain `only`; `harness` has the requests of a failed one. */
  constructor(harness, only) {
    this.harness = harness;
    this.only = only;
    this.passed = 0;
    this.failed = 0;
  }

  async run(sentence, body) {
    if (!sentence.includes(this.only)) return;
    this.harness.proxy.takeHeads();
    const begin = Date.now();
    try {
      await Promise.race([body(), expire()]);
      this.passed += 1;
      console.log(`ok ${sentence} (${Date.now() - begin} ms)`);
    } catch (error) {
      this.failed += 1;
      console.log(`FAILED ${sentence}: ${`${error.name}: ${error.message}`.replaceAll("\n", " ")}`);
      for (const head of this.harness.proxy.takeHeads()) console.log(`    ${head}`);
    } finally {
      this.harness.proxy.disarm();
    }
  }

  /** Prints the totals and returns the exit status. */
  finish() {
    console.log(`${this.passed} passed, ${this.failed} failed`);
    return this.failed === 0 ? 0 : 1;
  }
}

async function expire() {
  // Does not keep the process running after the check.
  await sleep(CHECK_LIMIT_MS, undefined, { ref: false });
  throw new Error(`not finished after ${CHECK_LIMIT_MS / 1000} s`);
}

const CHECK_LIMIT_MS = 60_000;
