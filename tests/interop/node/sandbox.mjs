// The control requests of the sandbox that this script uses.

/** The sandbox at an origin such as http://127.0.0.1:9000. */
export class Sandbox {
  constructor(origin) {
    this.origin = origin;
    this.port = new URL(origin).port;
  }

  async call(method, path, body) {
    const reply = await fetch(`${this.origin}/_sandbox/${path}`, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${await reply.text()}`);
    return reply;
  }

  /** Key, bucket and region; the secret is the default one. */
  async config() {
    return (await this.call("GET", "config")).json();
  }

  /** The stored bytes of an object. */
  async stored(bucket, key) {
    const path = key.split("/").map(encodeURIComponent).join("/");
    const reply = await this.call("GET", `objects/${bucket}/${path}`);
    return Buffer.from(await reply.arrayBuffer());
  }

  /** What was counted of an operation since the last reset. */
  async count(operation) {
    const counts = await (await this.call("GET", "requests")).json();
    return counts.operations[operation] ?? { requests: 0, by_part: {} };
  }

  resetCounts() {
    return this.call("POST", "requests/reset");
  }

  /** A temporary credential without restrictions that expires after this many seconds. */
  async temporaryCredential(ttlSecs) {
    const { token_life_secs: before } = await this.config();
    await this.call("POST", "token-life", { secs: ttlSecs });
    const credential = await (await this.call("POST", "sts")).json();
    await this.call("POST", "token-life", { secs: before });
    const keys = {
      accessKeyId: credential.AccessKeyId,
      accessKeySecret: credential.AccessKeySecret,
      stsToken: credential.SecurityToken,
    };
    // Without a refresh function, the client prints advice on every start.
    return { ...keys, refreshSTSToken: async () => keys };
  }
}
