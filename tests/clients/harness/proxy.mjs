// A TCP proxy in front of the worker that interrupts connections after a number of bytes.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";

/** Listens on a port that does not change when the worker restarts. */
export class Proxy {
  static async start() {
    const proxy = new Proxy();
    proxy.server = createServer((client) => proxy.#relay(client)).listen(0, "127.0.0.1");
    await once(proxy.server, "listening");
    proxy.origin = `http://127.0.0.1:${proxy.server.address().port}`;
    return proxy;
  }

  constructor() {
    this.upstreamPort = undefined;
    this.connections = new Set();
    this.dead = new WeakSet();
    this.heads = [];
    this.disarm();
  }

  /** Forwards requests to this port from now on. */
  forwardTo(port) {
    this.upstreamPort = port;
  }

  /**
   * Once clients have sent this many further bytes on all connections together, discards the rest
   * and runs `action`, which resets all connections by default.
   */
  breakAfter(bytes, action = () => this.cut()) {
    this.disarm();
    this.bytesLeft = bytes;
    this.action = action;
  }

  /** Resets all connections whenever this many bytes were sent, the first time after `first`. */
  cutAfterEvery(bytes, first = bytes) {
    this.breakAfter(first);
    this.bytesBetween = bytes;
  }

  /** Flips one bit of the byte after this many further bytes. */
  flipAfter(bytes) {
    this.bytesUntilFlip = bytes;
  }

  disarm() {
    this.bytesLeft = Infinity;
    this.bytesBetween = Infinity;
    this.bytesUntilFlip = Infinity;
    this.broken = undefined;
  }

  /** Checks that the action was started, and waits for it. */
  async expectBroken() {
    assert.ok(this.broken, "the connection was not interrupted");
    await this.broken;
  }

  /** Resets every connection, to the client and to the worker. */
  cut() {
    for (const socket of this.connections) socket.resetAndDestroy();
  }

  /** The request and response heads since the last call, for the report of a failure. */
  takeHeads() {
    return this.heads.splice(0);
  }

  #relay(client) {
    const worker = connect(this.upstreamPort, "127.0.0.1");
    this.connections.add(client).add(worker);
    client.on("data", (bytes) => {
      if (this.dead.has(client)) return;
      this.#note(">", bytes, REQUEST);
      if (bytes.length >= this.bytesLeft) return this.#break(bytes, worker);
      this.bytesLeft -= bytes.length;
      this.#flip(bytes);
      if (!worker.write(bytes)) client.pause();
    });
    worker.on("drain", () => client.resume());
    worker.on("data", (bytes) => {
      this.#note("<", bytes, RESPONSE);
      if (!client.write(bytes)) worker.pause();
    });
    client.on("drain", () => worker.resume());
    for (const [socket, other] of [[client, worker], [worker, client]]) {
      // The other side sees a closed connection.
      socket.on("error", () => {});
      socket.on("close", () => {
        this.connections.delete(socket);
        // Bytes received before are still delivered.
        other.destroySoon();
      });
    }
  }

  #flip(bytes) {
    if (bytes.length > this.bytesUntilFlip) {
      bytes[this.bytesUntilFlip] ^= 1;
      this.bytesUntilFlip = Infinity;
    }
    this.bytesUntilFlip -= bytes.length;
  }

  #break(bytes, worker) {
    // Forwards the bytes up to the limit. Nothing is forwarded after them.
    for (const socket of this.connections) this.dead.add(socket);
    const last = bytes.subarray(0, this.bytesLeft);
    this.bytesLeft = this.bytesBetween;
    const { action } = this;
    const written = new Promise((resolve) => worker.write(last, resolve));
    this.broken = written.then(() => action());
    // `expectBroken` returns the error.
    this.broken.catch(() => this.cut());
  }

  #note(direction, bytes, pattern) {
    const text = bytes.subarray(0, HEAD_BYTES_MAX).toString("latin1");
    const [first, ...headers] = text.split("\r\n\r\n", 1)[0].split("\r\n");
    if (!pattern.test(first)) return;
    const telling = headers.filter((header) => TELLING_HEADER.test(header));
    this.heads.push([`${direction} ${first}`, ...telling].join(" | "));
    if (this.heads.length > HEADS_MAX) this.heads.shift();
  }
}

const REQUEST = /^(OPTIONS|GET|HEAD|POST|PUT|PATCH|DELETE) /;
const RESPONSE = /^HTTP\/1\.1 /;
/** Headers of the protocols, without those that describe the browser. */
const TELLING_HEADER =
  /^(access-control|content|connection|location|media|origin|problem|transfer|tus|upload|x-http)/i;
const HEAD_BYTES_MAX = 4096;
const HEADS_MAX = 24;
