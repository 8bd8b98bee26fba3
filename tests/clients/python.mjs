// tuspy, and the commands of tus.py.

import assert from "node:assert/strict";
import { dirname } from "node:path";

import { MIB } from "./harness/file.mjs";
import { example } from "./harness/examples.mjs";
import { shell, succeed } from "./harness/shell.mjs";

const FATES = [
  ["", undefined],
  [" over a cut connection", (harness) => harness.proxy.cut()],
  [" over a crash of the worker", (harness) => harness.crashWorker()],
];

export async function runChecks(setting) {
  const { harness, python } = setting;
  const options = { cwd: `${harness.directory}/files`, path: [dirname(python)] };
  await checkTuspy({ ...setting, options });
  await checkTusPy({ ...setting, options });
}

async function checkTuspy({ harness, checks, options }) {
  const program = new URL("python/upload_with_tuspy.py", import.meta.url).pathname;
  const command = (file, more) =>
    `python ${program} ${harness.origin}/v1/files ${file.name} --storage ${file.name}.json ${more}`;

  let number = 0;
  for (const [way, flags] of [
    ["whole", `--chunk-size ${64 * MIB}`],
    ["in chunks", `--chunk-size ${5 * MIB}`],
    ["in chunks with checksums", `--chunk-size ${5 * MIB} --checksum`],
  ]) {
    for (const [fate, action] of FATES) {
      number += 1;
      const file = harness.file(`tuspy-${number}.mp4`, 16 * MIB + number);
      await checks.run(`tuspy uploads ${way}${fate}`, () =>
        harness.expectStored([file], async () => {
          if (action) harness.proxy.breakAfter(12 * MIB, () => action(harness));
          const answer = await succeed(command(file, `${flags} --retries 8`), options);
          if (action) await harness.proxy.expectBroken();
          file.mediaId = JSON.parse(answer).media_id;
        }),
      );
    }
  }

  await checks.run("tuspy uploads as documented", async () => {
    const film = harness.file("film.mp4", 16 * MIB + 5);
    await harness.expectStored([film], async () => {
      const block = example("python", "TusClient(", harness.origin);
      film.mediaId = (await succeed(`python - <<'END'\n${block}\nEND`, options)).trim();
    });
  });

  const flipped = harness.file("tuspy-flipped.mp4", 16 * MIB);
  await checks.run("tuspy with checksums sends a chunk again that arrived with a wrong bit", () =>
    harness.expectStored([flipped], async () => {
      harness.proxy.flipAfter(8 * MIB);
      const flags = `--chunk-size ${5 * MIB} --checksum --retries 1`;
      flipped.mediaId = JSON.parse(await succeed(command(flipped, flags), options)).media_id;
      assert.equal(harness.proxy.bytesUntilFlip, Infinity, "a bit was flipped");
    }),
  );

  const file = harness.file("tuspy-resumed.mp4", 16 * MIB);
  await checks.run("tuspy resumes what another process began", () =>
    harness.expectStored([file], async () => {
      const flags = `--chunk-size ${5 * MIB}`;
      harness.proxy.breakAfter(12 * MIB);
      assert.notEqual((await shell(command(file, flags), options)).status, 0);
      await harness.proxy.expectBroken();
      const answer = JSON.parse(await succeed(command(file, flags), options));
      assert.ok(answer.resumed_at >= 10 * MIB, `it resumed at ${answer.resumed_at}`);
      file.mediaId = answer.media_id;
    }),
  );
}

async function checkTusPy({ harness, checks, options }) {
  for (const [fate, action] of FATES) {
    const commands = action ? "tus-upload and tus-resume upload" : "tus-upload uploads";
    await checks.run(`${commands}${fate} as documented`, async () => {
      const file = harness.file("film.mp4", 16 * MIB + 3);
      await harness.expectStored([file], async () => {
        const [begin, resume] = steps(example("sh", "tus-upload film.mp4", harness.origin));
        if (action) harness.proxy.breakAfter(11 * MIB, () => action(harness));
        const started = await shell(`${begin}\nstatus=$?; echo "$UPLOAD"; exit $status`, options);
        if (action) await harness.proxy.expectBroken();
        assert.equal(started.status === 0, action === undefined, started.stderr);
        await succeed(resume, { ...options, variables: { UPLOAD: started.stdout.trim() } });
      });
    });
  }

  const piped = harness.file("piped.ts", 9 * MIB + 11);
  await checks.run("tus-upload uploads what comes out of a pipe", () =>
    harness.expectStored([piped], () =>
      succeed(
        `cat piped.ts | tus-upload --file_name piped.ts - ${harness.origin}/v1/files`,
        options,
      ),
    ),
  );
}

/** Splits the example: the first script starts an upload, the second resumes it. */
function steps(block) {
  // It is installed already, and its version is pinned.
  const commands = block.split("\n").filter((line) => /^[^#]/.test(line) && !/^pip /.test(line));
  assert.equal(commands.length, 2, block);
  return commands;
}
