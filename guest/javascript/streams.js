'use strict';
// stdout and stderr, written through at once: what a cell printed is in the pipe before its end is reported, and nothing
// is lost by process.exit().

const fs = require('node:fs');

function makeBlocking() {
  for (const stream of [process.stdout, process.stderr]) stream._handle?.setBlocking?.(true);
}

// Anything a guest has corked or piped into the streams.
function flush() {
  for (const stream of [process.stdout, process.stderr]) {
    try {
      while (stream.writableCorked > 0) stream.uncork();
    } catch {
      // The guest may have replaced or closed its streams.
    }
  }
}

function complain(text) {
  try {
    fs.writeSync(2, text);
  } catch {
    // Nobody listens.
  }
}

module.exports = { makeBlocking, flush, complain };
