// Serves the pages and their scripts, which are the clients' packages as published, bundled.

import { createServer } from "node:http";
import { once } from "node:events";

import { build } from "esbuild";

/** The pages of `pages/`, on a separate origin. */
export class PageServer {
  static async start() {
    const server = new PageServer();
    const scripts = await bundle(["filepond", "tus", "uppy"]);
    const respond = (request, response) => server.#respond(scripts, request, response);
    server.server = createServer(respond).listen(0, "127.0.0.1");
    await once(server.server, "listening");
    // Does not keep the process running.
    server.server.unref();
    server.origin = `http://127.0.0.1:${server.server.address().port}`;
    return server;
  }

  #respond(scripts, request, response) {
    const { pathname, searchParams } = new URL(request.url, this.origin);
    const name = pathname.slice(1);
    if (scripts.has(name)) {
      response.setHeader("content-type", "text/javascript").end(scripts.get(name));
      return;
    }
    response.setHeader("content-type", "text/html; charset=utf-8");
    if (name === "form") {
      response.end(form(searchParams.get("action"), searchParams.get("redirect")));
    } else if (scripts.has(`${name}.js`)) {
      response.end(page(`<input type="file"><script src="${name}.js"></script>`));
    } else {
      response.end(page(`<p>${name}`));
    }
  }
}

/** A plain form without a script. */
function form(action, redirect) {
  return page(`
    <form method="post" enctype="multipart/form-data" action="${action}">
      ${redirect ? `<input type="hidden" name="redirect" value="${redirect}">` : ""}
      <input type="text" name="title" value="Ferien &amp; Meer">
      <input type="file" name="film">
      <input type="text" name="between" value="a field between the files">
      <input type="file" name="more" multiple>
      <button>Send</button>
    </form>`);
}

function page(body) {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Upload</title>${body}</html>`;
}

async function bundle(names) {
  const { outputFiles } = await build({
    absWorkingDir: new URL("pages", import.meta.url).pathname,
    entryPoints: names.map((name) => `${name}.js`),
    bundle: true,
    format: "iife",
    outdir: "out",
    write: false,
  });
  return new Map(outputFiles.map(({ path, text }) => [path.split("/").at(-1), text]));
}
