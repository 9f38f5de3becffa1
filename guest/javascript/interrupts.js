'use strict';
// Interrupts, heard by a thread of their own: a main thread inside `while (true) {}` hears nothing.
// The thread first asks the main thread; only one that doesn't answer is stopped by force, again and again until it does.

const path = require('node:path');
const { Worker } = require('node:worker_threads');

// What both threads see: the last interrupt the main thread has heard, and the run it is at.
const shared = new Int32Array(new SharedArrayBuffer(8));

function running(number) {
  Atomics.store(shared, 1, number);
}

function listen(fd, onInterrupt) {
  const worker = new Worker(path.join(__dirname, 'interrupt-thread.js'), {
    workerData: { fd, shared },
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
  });
  return new Promise((resolve) => {
    worker.on('message', (message) => {
      if (message === 'ready') {
        worker.unref();
        resolve();
        return;
      }
      // The thread repeats itself until it is heard.
      if (message.count <= Atomics.load(shared, 0)) return;
      Atomics.store(shared, 0, message.count);
      onInterrupt(message.run);
    });
  });
}

module.exports = { listen, running };
