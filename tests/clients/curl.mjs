// curl alone.

import assert from "node:assert/strict";

import { MIB } from "./harness/file.mjs";
import { example } from "./harness/examples.mjs";
import { shell, succeed } from "./harness/shell.mjs";

export async function runChecks({ harness, checks }) {
  const cwd = `${harness.directory}/files`;
  const uploads = `${harness.origin}/v1/uploads`;
  const run = (script, variables) => succeed(script, { cwd, variables });
  const film = (bytes) => harness.file("film.mp4", bytes);

  const whole = film(24 * MIB + 5);
  await checks.run("curl -T uploads a file as documented", () =>
    harness.expectStored([whole], async () => {
      const answer = await run(example("sh", "curl -T film.mp4", harness.origin));
      whole.mediaId = JSON.parse(answer).media_id;
    }),
  );

  const again = harness.file("again.mp4", 24 * MIB + 6);
  await checks.run("curl -T sends the file again if it is interrupted and --retry is set", () =>
    harness.expectStored([again], async () => {
      harness.proxy.breakAfter(9 * MIB);
      const options = "--silent --retry 3 --retry-all-errors --retry-delay 1";
      const answer = await run(`curl ${options} -T again.mp4 ${uploads}/again.mp4`);
      await harness.proxy.expectBroken();
      again.mediaId = JSON.parse(answer).media_id;
    }),
  );

  const lost = harness.file("lost.mp4", 24 * MIB);
  await checks.run("an interrupted curl -T leaves nothing behind", () =>
    harness.expectNothingStored(async () => {
      harness.proxy.breakAfter(9 * MIB);
      const { status } = await shell(`curl --silent -T ${lost.path} ${uploads}/lost.mp4`, { cwd });
      assert.notEqual(status, 0);
      await harness.proxy.expectBroken();
    }),
  );

  await checks.run("curl -T - uploads what comes out of a pipe, as documented", async () => {
    const live = { ...film(13 * MIB + 7), name: "live.mp4" };
    await harness.expectStored([live], async () => {
      const answer = await run(example("sh", "curl -T - http", harness.origin));
      live.mediaId = JSON.parse(answer).media_id;
    });
  });

  await checks.run("curl -T uploads a camera's clip, as documented", async () => {
    const clip = harness.file("clip.mp4", 5 * MIB + 1);
    const stored = JSON.parse(await run(example("sh", "-T clip.mp4", harness.origin)));
    assert.ok((await harness.sandbox.stored(stored.object)).equals(clip.bytes));
  });

  for (const [protocol, telling, isComplete] of [
    ["tus", "Upload-Length: $SIZE", (status) => status.state === "completed"],
    ["the IETF draft", "Upload-Complete: ?0", (object, file) => object.size === file.bytes.length],
  ]) {
    for (const [fate, action] of [
      ["a cut connection", () => harness.proxy.cut()],
      ["a crash of the worker", (upload) => harness.crashWorkerAfterProgress(upload)],
    ]) {
      await checks.run(`curl with ${protocol} resumes after ${fate}, as documented`, async () => {
        const resumed = film(16 * MIB + 8);
        await harness.expectStored([resumed], async () => {
          const [create, send] = steps(example("sh", telling, harness.origin));
          const upload = (await run(`${create}echo "$UPLOAD"`)).trim();
          const variables = { FILE: "film.mp4", UPLOAD: upload };
          harness.proxy.breakAfter(9 * MIB, () => action(upload));
          await shell(send, { cwd, variables });
          await harness.proxy.expectBroken();
          const { stdout } = await shell(`${send}\necho " from $OFFSET"`, { cwd, variables });
          const [, body, offset] = stdout.match(/({.*}) from (\d+)/);
          assert.ok(Number(offset) > 0, `it resumed at ${offset}`);
          const answer = JSON.parse(body);
          assert.ok(isComplete(answer, resumed), body);
          resumed.mediaId = answer.media_id;
        });
      });
    }
  }

  await checks.run("curl manages an upload, as documented", () =>
    harness.expectNothingStored(async () => {
      film(MIB);
      const [create] = steps(example("sh", "Upload-Length: $SIZE", harness.origin));
      const variables = { UPLOAD: (await run(`${create}echo "$UPLOAD"`)).trim() };
      const script = example("sh", 'curl -X POST "$UPLOAD/pause"', harness.origin);
      const lines = script.trim().split("\n");
      const [status, pause, resume, events, end] = lines;
      const stateAfter = async (line) => JSON.parse(await run(line, variables)).state;
      assert.equal(await stateAfter(status), "receiving");
      assert.equal(await stateAfter(pause), "paused");
      assert.equal(await stateAfter(resume), "receiving");
      const renew = example("sh", "_sandbox/sts", harness.origin, harness.sandbox.origin);
      assert.equal(await run(renew, variables), "");
      const followed = run(events, variables);
      await run(end, variables);
      assert.match(await followed, /^event: failed$/m);
    }),
  );

  await checks.run("curl -F uploads the files of a form as documented", async () => {
    const files = [film(9 * MIB + 9), harness.file("more.mp4", 300_000)];
    await harness.expectStored(files, async () => {
      const answer = JSON.parse(await run(example("sh", "curl -F title=", harness.origin)));
      assert.ok(answer.complete, JSON.stringify(answer));
      for (const [index, file] of files.entries()) file.mediaId = answer.files[index].media_id;
    });
  });

  await checks.run("an interrupted curl -F leaves nothing behind", () =>
    harness.expectNothingStored(async () => {
      harness.proxy.breakAfter(7 * MIB);
      const { status } = await shell(`curl --silent -F film=@lost.mp4 ${uploads}`, { cwd });
      assert.notEqual(status, 0);
      await harness.proxy.expectBroken();
    }),
  );
}

/** Splits the example: the first script creates an upload, the second can be repeated. */
function steps(block) {
  const second = block.indexOf("# 2.");
  assert.ok(second > 0, "the example has a step 2");
  return [block.slice(0, second), block.slice(second)];
}
