// Runs checks one after another and counts them. A check is a sentence and a function that throws.

import assert from "node:assert/strict";

let passed = 0;
let failed = 0;

export async function check(sentence, body) {
  try {
    await body();
    passed += 1;
    console.log(`ok ${sentence}`);
  } catch (error) {
    failed += 1;
    const why = `${error.name}: ${error.message}`.replaceAll("\n", " ");
    console.log(`FAILED ${sentence}: ${why}`);
  }
}

/** Asserts that the promise is rejected with this OSS status and code. */
export async function refused(promise, status, code) {
  const error = await promise.then(
    () => assert.fail(`accepted, though ${code} was due`),
    (rejection) => rejection,
  );
  if (error instanceof assert.AssertionError) throw error;
  assert.deepEqual([error.status, error.code], [status, code], error.message);
  return error;
}

/** Prints the totals and sets the exit status. */
export function finish() {
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}
