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

  const live = stage.file("live.ts", 13 * MIB + 7);
  await checks.run("curl -T - uploads what comes out of a pipe", () =>
    stage.expectStored([live], async () => {
      const answer = await run(`cat live.ts | curl --silent -T - ${uploads}/live.ts`);
      live.mediaId = JSON.parse(answer).media_id;
    }),
  );

  for (const [fate, action] of [
    ["goes on after a cut connection", () => stage.proxy.cut()],
    ["goes on after a crash of the worker", () => stage.crashWorker()],
  ]) {
    await checks.run(`curl ${fate} as documented`, async () => {
      const resumed = film(16 * MIB + 8);
      await stage.expectStored([resumed], async () => {
        const [create, send] = steps(example("sh", "Upload-Length: $SIZE", stage.origin));
        const upload = (await run(`${create}echo "$UPLOAD"`)).trim();
        const variables = { FILE: "film.mp4", UPLOAD: upload };
        stage.proxy.breakAfter(9 * MIB, action);
        await shell(send, { cwd, variables });
        await stage.proxy.expectBroken();
        const { stdout } = await shell(`${send}\necho " from $OFFSET"`, { cwd, variables });
        const [, state, offset] = stdout.match(/({.*}) from (\d+)/);
        assert.ok(Number(offset) > 0, `it went on at ${offset}`);
        assert.equal(JSON.parse(state).state, "completed");
        resumed.mediaId = JSON.parse(state).media_id;
      });
    });
  }

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
