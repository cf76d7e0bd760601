// Web sockets that misbehave on purpose, which a proper client's library does not let one do: idle ones, ones that
// never read, ones that send what is too large.

import { randomBytes } from "node:crypto";
import { connect } from "node:net";

const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

/** A frame from a client. Its mask is zero, which changes nothing. */
function frame(opcode, payload) {
  const { length } = payload;
  const header = Buffer.alloc(length < 126 ? 6 : length < 65_536 ? 8 : 14);
  header[0] = 0x80 | opcode;
  if (length < 126) header[1] = 0x80 | length;
  else if (length < 65_536) {
    header[1] = 0x80 | 126;
    header.writeUInt16BE(length, 2);
  } else {
    header[1] = 0x80 | 127;
    header.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([header, payload]);
}

/** An open web socket. */
class Socket {
  #socket;
  #received;
  #message = [];
  #waiting = new Map();
  #nextId = 1;
  /** Resolves with a reason once the connection is over. */
  closed;

  constructor(socket, rest) {
    this.#socket = socket;
    this.#received = rest;
    this.closed = new Promise((resolve) => socket.once("close", () => resolve(this.closeCode ?? "no close frame")));
    this.closed.then((reason) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the node closed the connection (${reason})`));
      this.#waiting.clear();
    });
    socket.on("data", (data) => {
      this.#received = Buffer.concat([this.#received, data]);
      this.#read();
    });
    this.#read();
  }

  #read() {
    for (;;) {
      if (this.#received.length < 2) return;
      const short = this.#received[1] & 0x7f;
      const start = short === 127 ? 10 : short === 126 ? 4 : 2;
      if (this.#received.length < start) return;
      const length =
        short === 127 ? Number(this.#received.readBigUInt64BE(2)) : short === 126 ? this.#received.readUInt16BE(2) : short;
      if (this.#received.length < start + length) return;
      const first = this.#received[0];
      const payload = this.#received.subarray(start, start + length);
      this.#received = this.#received.subarray(start + length);
      this.#take(first & 0x0f, (first & 0x80) !== 0, payload);
    }
  }

  #take(opcode, last, payload) {
    if (opcode === PING) this.#socket.write(frame(PONG, payload));
    else if (opcode === CLOSE) {
      this.closeCode = payload.length >= 2 ? payload.readUInt16BE(0) : "no code";
      this.#socket.end();
    } else if (opcode <= TEXT) {
      this.#message.push(payload);
      if (!last) return;
      const message = JSON.parse(Buffer.concat(this.#message).toString());
      this.#message = [];
      // What is refused before it is read has no identity; a batch has many.
      const id = message.id ?? null;
      const key = this.#waiting.has(id) ? id : null;
      this.#waiting.get(key)?.resolve(message);
      this.#waiting.delete(key);
    }
  }

  /** Sends text and waits for the answer to `id`, or with `null` for one that names no request. */
  exchange(text, id = null) {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return reject(new Error("the connection is closed"));
      this.#waiting.set(id, { resolve, reject });
      this.#socket.write(frame(TEXT, Buffer.from(text)));
    });
  }

  /** Calls a method and returns the answer, an error or not. */
  call(method, ...params) {
    const id = this.#nextId++;
    return this.exchange(JSON.stringify({ jsonrpc: "2.0", id, method, params }), id);
  }

  /** Sends a call whose answer nobody waits for. */
  send(method, ...params) {
    if (!this.#socket.destroyed) {
      this.#socket.write(frame(TEXT, Buffer.from(JSON.stringify({ jsonrpc: "2.0", id: this.#nextId++, method, params }))));
    }
  }

  /** Reads nothing more, so that the node's answers pile up. */
  stopReading() {
    this.#socket.pause();
  }

  get isOpen() {
    return !this.#socket.destroyed;
  }

  end() {
    this.#socket.destroy();
  }
}

/**
 * Opens a web socket.
 *
 * @returns {Promise<{socket: Socket} | {status: number}>} the socket, or the HTTP status with which it was refused
 */
export function openSocket(url) {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) });
    let head = Buffer.alloc(0);
    const fail = (error) => reject(error ?? new Error("the node closed the connection before it answered"));
    const read = (data) => {
      head = Buffer.concat([head, data]);
      const end = head.indexOf("\r\n\r\n");
      if (end < 0) return;
      socket.removeListener("data", read);
      socket.removeListener("error", fail);
      socket.removeListener("close", fail);
      // What goes wrong from here on closes it.
      socket.on("error", () => {});
      const status = Number(head.subarray(9, 12).toString());
      if (status === 101) return resolve({ socket: new Socket(socket, head.subarray(end + 4)) });
      socket.destroy();
      resolve({ status });
    };
    socket.on("data", read);
    socket.once("error", fail);
    socket.once("close", () => fail());
    socket.write(
      `GET / HTTP/1.1\r\nHost: ${hostname}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    );
  });
}

/** A connection that sends the head of a request so slowly that it never ends. */
export function openTrickle(url) {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on("error", () => {});
  socket.write(`POST / HTTP/1.1\r\nHost: ${hostname}:${port}\r\nX-Slow: `);
  const timer = setInterval(() => socket.write("a"), 1_000);
  socket.once("close", () => clearInterval(timer));
  return { end: () => socket.destroy() };
}
