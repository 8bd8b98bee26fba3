// curl alone.

import assert from "node:assert/strict";

import { MIB } from "./stage/file.mjs";
import { example } from "./stage/examples.mjs";
import { shell, succeed } from "./stage/shell.mjs";

export async function play({ stage, checks }) {
  const cwd = `${stage.folder}/files`;
  const uploads = `${stage.origin}/v1/uploads`;
  const run = (script, variables) => succeed(script, { cwd, variables });
  const film = (bytes) => stage.file("film.mp4", bytes);

  const whole = film(24 * MIB + 5);
  await checks.run("curl -T uploads a file as documented", () =>
    stage.expectStored([whole], async () => {
      const answer = await run(example("sh", "curl -T film.mp4", stage.origin));
      whole.mediaId = JSON.parse(answer).media_id;
    }),
  );

  const again = stage.file("again.mp4", 24 * MIB + 6);
  await checks.run("curl -T sends the file again when it was cut off and told to retry", () =>
    stage.expectStored([again], async () => {
      stage.proxy.breakAfter(9 * MIB);
      const options = "--silent --retry 3 --retry-all-errors --retry-delay 1";
      const answer = await run(`curl ${options} -T again.mp4 ${uploads}/again.mp4`);
      await stage.proxy.expectBroken();
      again.mediaId = JSON.parse(answer).media_id;
    }),
  );

  const lost = stage.file("lost.mp4", 24 * MIB);
  await checks.run("curl -T that is cut off leaves nothing behind", () =>
    stage.expectNothingStored(async () => {
      stage.proxy.breakAfter(9 * MIB);
      const { status } = await shell(`curl --silent -T ${lost.path} ${uploads}/lost.mp4`, { cwd });
      assert.notEqual(status, 0);
      await stage.proxy.expectBroken();
    }),
  );

  await checks.run("curl -T - uploads what comes out of a pipe, as documented", async () => {
    const live = { ...film(13 * MIB + 7), name: "live.mp4" };
    await stage.expectStored([live], async () => {
      const answer = await run(example("sh", "curl -T - http", stage.origin));
      live.mediaId = JSON.parse(answer).media_id;
    });
  });

  await checks.run("curl -T uploads a camera's clip, as documented", async () => {
    const clip = stage.file("clip.mp4", 5 * MIB + 1);
    const stored = JSON.parse(await run(example("sh", "-T clip.mp4", stage.origin)));
    assert.ok((await stage.sandbox.stored(stored.object)).equals(clip.bytes));
  });

  for (const [protocol, telling, isComplete] of [
    ["tus", "Upload-Length: $SIZE", (status) => status.state === "completed"],
    ["the IETF draft", "Upload-Complete: ?0", (object, file) => object.size === file.bytes.length],
  ]) {
    for (const [fate, action] of [
      ["a cut connection", () => stage.proxy.cut()],
      ["a crash of the worker", () => stage.crashWorker()],
    ]) {
      await checks.run(`curl with ${protocol} resumes after ${fate}, as documented`, async () => {
        const resumed = film(16 * MIB + 8);
        await stage.expectStored([resumed], async () => {
          const [create, send] = steps(example("sh", telling, stage.origin));
          const upload = (await run(`${create}echo "$UPLOAD"`)).trim();
          const variables = { FILE: "film.mp4", UPLOAD: upload };
          stage.proxy.breakAfter(9 * MIB, action);
          await shell(send, { cwd, variables });
          await stage.proxy.expectBroken();
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
    stage.expectNothingStored(async () => {
      film(MIB);
      const [create] = steps(example("sh", "Upload-Length: $SIZE", stage.origin));
      const variables = { UPLOAD: (await run(`${create}echo "$UPLOAD"`)).trim() };
      const lines = example("sh", 'curl -X POST "$UPLOAD/pause"', stage.origin).trim().split("\n");
      const [status, pause, resume, events, end] = lines;
      const stateAfter = async (line) => JSON.parse(await run(line, variables)).state;
      assert.equal(await stateAfter(status), "receiving");
      assert.equal(await stateAfter(pause), "paused");
      assert.equal(await stateAfter(resume), "receiving");
      const renew = example("sh", "_sandbox/sts", stage.origin, stage.sandbox.origin);
      assert.equal(await run(renew, variables), "");
      const followed = run(events, variables);
      await run(end, variables);
      assert.match(await followed, /^event: failed$/m);
    }),
  );

  await checks.run("curl -F uploads the files of a form as documented", async () => {
    const files = [film(9 * MIB + 9), stage.file("more.mp4", 300_000)];
    await stage.expectStored(files, async () => {
      const answer = JSON.parse(await run(example("sh", "curl -F title=", stage.origin)));
      assert.ok(answer.complete, JSON.stringify(answer));
      for (const [index, file] of files.entries()) file.mediaId = answer.files[index].media_id;
    });
  });

  await checks.run("curl -F that is cut off leaves nothing behind", () =>
    stage.expectNothingStored(async () => {
      stage.proxy.breakAfter(7 * MIB);
      const { status } = await shell(`curl --silent -F film=@lost.mp4 ${uploads}`, { cwd });
      assert.notEqual(status, 0);
      await stage.proxy.expectBroken();
    }),
  );
}

/** The example in two: what creates an upload, and what sends the rest of it, however often. */
function steps(block) {
  const second = block.indexOf("# 2.");
  assert.ok(second > 0, "the example has a step 2");
  return [block.slice(0, second), block.slice(second)];
}
