'use strict';
// Frames to and from the shim: a 4-byte big-endian length and as many bytes of JSON.

const fs = require('node:fs');
const net = require('node:net');

class Link {
  #reply;
  #held = Buffer.alloc(0);
  onFrame = () => {};

  constructor(requests, reply) {
    this.#reply = reply;
    const socket = new net.Socket({ fd: requests, readable: true, writable: false });
    socket.on('data', (data) => this.#take(data));
    socket.on('end', () => process.exit(0)); // The shim is gone, and with it everyone who could ask.
  }

  #take(data) {
    this.#held = this.#held.length === 0 ? data : Buffer.concat([this.#held, data]);
    while (this.#held.length >= 4) {
      const length = this.#held.readUInt32BE(0);
      if (this.#held.length < 4 + length) return;
      const body = this.#held.subarray(4, 4 + length);
      this.#held = this.#held.subarray(4 + length);
      this.onFrame(JSON.parse(body.toString('utf8')));
    }
  }

  send(message) {
    const body = Buffer.from(JSON.stringify(message), 'utf8');
    const frame = Buffer.alloc(4 + body.length);
    frame.writeUInt32BE(body.length, 0);
    body.copy(frame, 4);
    for (let sent = 0; sent < frame.length;) sent += fs.writeSync(this.#reply, frame, sent);
  }
}

module.exports = { Link };
