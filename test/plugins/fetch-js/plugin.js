// Sends one request with `fetch` and replies as the server did. Payload: a method, a URL, and where there are more
// lines, the body.

export const handler = {
  getAccessLevels() {
    return { keyValueRead: false, keyValueWrite: false, outboundHttp: true };
  },

  async handleRequest({ payload }) {
    const [method, url, ...body] = new TextDecoder().decode(payload).split("\n");
    const init = { method, headers: { "x-from": "fetch" } };
    if (body.length > 0) init.body = body.join("\n");
    try {
      const response = await fetch(url, init);
      return { status: response.status, body: new Uint8Array(await response.arrayBuffer()) };
    } catch (error) {
      throw String(error);
    }
  },
};
