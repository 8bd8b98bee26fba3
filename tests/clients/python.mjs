// tuspy, and the commands of tus.py.

import assert from "node:assert/strict";
import { dirname } from "node:path";

import { MIB } from "./stage/file.mjs";
import { example } from "./stage/examples.mjs";
import { shell, succeed } from "./stage/shell.mjs";

const FATES = [
  ["", undefined],
  [" over a cut connection", (stage) => stage.proxy.cut()],
  [" over a crash of the worker", (stage) => stage.crashWorker()],
];

export async function play(setting) {
  const { stage, python } = setting;
  const options = { cwd: `${stage.folder}/files`, path: [dirname(python)] };
  await playTuspy({ ...setting, options });
  await playTusPy({ ...setting, options });
}

async function playTuspy({ stage, checks, options }) {
  const program = new URL("python/upload_with_tuspy.py", import.meta.url).pathname;
  const command = (file, more) =>
    `python ${program} ${stage.origin}/v1/files ${file.name} --storage ${file.name}.json ${more}`;

  let number = 0;
  for (const [way, flags] of [
    ["whole", `--chunk-size ${64 * MIB}`],
    ["in chunks", `--chunk-size ${5 * MIB}`],
    ["in chunks with checksums", `--chunk-size ${5 * MIB} --checksum`],
  ]) {
    for (const [fate, action] of FATES) {
      number += 1;
      const file = stage.file(`tuspy-${number}.mp4`, 16 * MIB + number);
      await checks.run(`tuspy uploads ${way}${fate}`, () =>
        stage.expectStored([file], async () => {
          if (action) stage.proxy.breakAfter(12 * MIB, () => action(stage));
          const answer = await succeed(command(file, `${flags} --retries 8`), options);
          if (action) await stage.proxy.expectBroken();
          file.mediaId = JSON.parse(answer).media_id;
        }),
      );
    }
  }

  await checks.run("tuspy uploads as documented", async () => {
    const film = stage.file("film.mp4", 16 * MIB + 5);
    await stage.expectStored([film], async () => {
      const block = example("python", "TusClient(", stage.origin);
      film.mediaId = (await succeed(`python - <<'END'\n${block}\nEND`, options)).trim();
    });
  });

  const flipped = stage.file("tuspy-flipped.mp4", 16 * MIB);
  await checks.run("tuspy with checksums sends a chunk again that arrived with a wrong bit", () =>
    stage.expectStored([flipped], async () => {
      stage.proxy.flipAfter(8 * MIB);
      const flags = `--chunk-size ${5 * MIB} --checksum --retries 1`;
      flipped.mediaId = JSON.parse(await succeed(command(flipped, flags), options)).media_id;
      assert.equal(stage.proxy.bytesUntilFlip, Infinity, "a bit was flipped");
    }),
  );

  const file = stage.file("tuspy-resumed.mp4", 16 * MIB);
  await checks.run("tuspy resumes what another process began", () =>
    stage.expectStored([file], async () => {
      const flags = `--chunk-size ${5 * MIB}`;
      stage.proxy.breakAfter(12 * MIB);
      assert.notEqual((await shell(command(file, flags), options)).status, 0);
      await stage.proxy.expectBroken();
      const answer = JSON.parse(await succeed(command(file, flags), options));
      assert.ok(answer.resumed_at >= 10 * MIB, `it went on at ${answer.resumed_at}`);
      file.mediaId = answer.media_id;
    }),
  );
}

async function playTusPy({ stage, checks, options }) {
  for (const [fate, action] of FATES) {
    const commands = action ? "tus-upload and tus-resume upload" : "tus-upload uploads";
    await checks.run(`${commands}${fate} as documented`, async () => {
      const file = stage.file("film.mp4", 16 * MIB + 3);
      await stage.expectStored([file], async () => {
        const [begin, resume] = steps(example("sh", "tus-upload film.mp4", stage.origin));
        if (action) stage.proxy.breakAfter(11 * MIB, () => action(stage));
        const begun = await shell(`${begin}\nstatus=$?; echo "$UPLOAD"; exit $status`, options);
        if (action) await stage.proxy.expectBroken();
        assert.equal(begun.status === 0, action === undefined, begun.stderr);
        await succeed(resume, { ...options, variables: { UPLOAD: begun.stdout.trim() } });
      });
    });
  }

  const piped = stage.file("piped.ts", 9 * MIB + 11);
  await checks.run("tus-upload uploads what comes out of a pipe", () =>
    stage.expectStored([piped], () =>
      succeed(`cat piped.ts | tus-upload --file_name piped.ts - ${stage.origin}/v1/files`, options),
    ),
  );
}

/** The example in two: what begins an upload, and what goes on with it. */
function steps(block) {
  // It is installed already, and its version is pinned.
  const commands = block.split("\n").filter((line) => /^[^#]/.test(line) && !/^pip /.test(line));
  assert.equal(commands.length, 2, block);
  return commands;
}
