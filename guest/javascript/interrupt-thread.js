'use strict';
// Reads the number of the run that is to be interrupted, four bytes each; see interrupts.js.

const net = require('node:net');
const { Session } = require('node:inspector');
const { parentPort, workerData } = require('node:worker_threads');

const PATIENCE_MS = 40;
const { fd, shared } = workerData;
let count = 0;
let run = 0;
let held = Buffer.alloc(0);
let timer = null;

function stop() {
  // Connected only now: a session that stays connected makes Node wait and complain at its exit.
  const session = new Session();
  session.connectToMainThread();
  session.post('Runtime.terminateExecution', () => session.disconnect());
}

function press() {
  if (Atomics.load(shared, 0) === count || Atomics.load(shared, 1) !== run) {
    clearInterval(timer);
    timer = null;
    return;
  }
  stop();
  parentPort.postMessage({ count, run });
}

new net.Socket({ fd, readable: true, writable: false }).on('data', (data) => {
  held = Buffer.concat([held, data]);
  for (; held.length >= 4; held = held.subarray(4)) run = held.readUInt32BE(0);
  count += 1;
  parentPort.postMessage({ count, run });
  timer ??= setInterval(press, PATIENCE_MS);
});
parentPort.postMessage('ready');
