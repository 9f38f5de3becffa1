'use strict';
// Cove's JavaScript kernel: takes cells from the shim, runs them one at a time, reports what came of them.
// Descriptors: 3 cells in, 4 answers out, 5 interrupts (read by a thread of its own, see interrupts.js).

const { Evaluator } = require('./evaluator.js');
const { Link } = require('./link.js');
const display = require('./display.js');
const errors = require('./errors.js');
const imports = require('./imports.js');
const modules = require('./modules.js');
const interrupts = require('./interrupts.js');
const streams = require('./streams.js');

const link = new Link(3, 4);
const queue = [];
let current = null;

streams.makeBlocking();
modules.install();
const evaluator = new Evaluator();

// What a timer or a forgotten promise throws belongs to no run: it is shown and the kernel lives on.
process.on('uncaughtException', (error) => streams.complain(`Uncaught ${errors.describe(error).traceback}\n`));
process.on('unhandledRejection', (reason) => streams.complain(`Uncaught (in promise) ${errors.describe(reason).traceback}\n`));
// An interrupt comes through interrupts.js; the signal is for the children that Node waits for.
process.on('SIGINT', () => {});

link.onFrame = (request) => {
  queue.push(request);
  if (current === null) next();
};
interrupts.listen(5, (number) => {
  if (current?.run === number) {
    finish(current, { status: 'interrupted', error: { name: 'Interrupted', value: 'the run was interrupted', traceback: 'Interrupted' } });
  }
}).then(() => link.send({ t: 'ready' }));

function next() {
  const request = queue.shift();
  if (request === undefined) return;
  current = request;
  interrupts.running(request.run);
  run(request).catch((error) => finish(request, failure(error)));
}

async function run(request) {
  const name = `cell${request.cell}.js`;
  errors.remember(name, request.code);
  const outcome = await evaluator.evaluate(imports.rewrite(request.code), name);
  // Interrupted: what is left of it is nobody's any more, or its end is about to come by way of interrupts.js.
  if (outcome.terminated || current !== request) return;
  if (outcome.thrown) {
    finish(request, failure(outcome.value, name, outcome.place));
    return;
  }
  if (outcome.value !== undefined) {
    link.send({ t: 'display', run: request.run, kind: 'result', data: display.render(outcome.value) });
  }
  finish(request, { status: 'ok' });
}

function failure(error, name, place) {
  return { status: 'error', error: errors.describe(error, name, place) };
}

function finish(request, outcome) {
  if (current !== request) return;
  evaluator.release();
  streams.flush();
  current = null;
  interrupts.running(0);
  link.send({ t: 'done', run: request.run, ...outcome });
  setImmediate(() => { if (current === null) next(); });
}
