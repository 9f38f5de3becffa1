'use strict';
// Runs a cell with the semantics of Chrome's console (V8's REPL mode): top-level await, and const, let and class that
// may be declared again in a later cell. V8 offers that only through the inspector, so the kernel inspects itself.

const { Session } = require('node:inspector');
const { types } = require('node:util');

const GROUP = 'cove';

class Evaluator {
  #session = new Session();
  #sink;
  #received;

  constructor() {
    this.#session.connect();
    // The inspector answers with references; this function, called through it, is how the value itself gets here.
    const key = Symbol.for('cove.sink');
    globalThis[key] = (value) => { this.#received = value; };
    this.#session.post('Runtime.evaluate', { expression: "globalThis[Symbol.for('cove.sink')]" }, (error, answer) => {
      this.#sink = answer.result.objectId;
    });
    delete globalThis[key];
  }

  // -> {thrown, value, place}, place being where a SyntaxError is, or {terminated}. A promise as the last value is waited for: it is what
  // `main()` at the end of a script leaves, and its output belongs to this run.
  async evaluate(code, name) {
    const answer = await new Promise((resolve) => {
      this.#session.post('Runtime.evaluate', {
        expression: `${code}\n//# sourceURL=${name}`,
        replMode: true,
        awaitPromise: true,
        objectGroup: GROUP,
      }, (error, result) => (error ? resolve({ error }) : resolve(result)));
    });
    if (answer.error) {
      if (/Execution was terminated/.test(answer.error.message)) return { terminated: true };
      return { thrown: true, value: new Error(answer.error.message) };
    }
    const details = answer.exceptionDetails;
    if (details) {
      const place = { line: details.lineNumber, column: details.columnNumber };
      return { thrown: true, value: this.#value(details.exception ?? answer.result), place };
    }
    const value = this.#value(answer.result);
    if (!types.isPromise(value)) return { thrown: false, value };
    try {
      return { thrown: false, value: await value };
    } catch (error) {
      return { thrown: true, value: error };
    }
  }

  // Let go of what the inspector holds on to for a client that might ask: results and console arguments.
  release() {
    this.#received = undefined;
    this.#session.post('Runtime.releaseObjectGroup', { objectGroup: GROUP });
    this.#session.post('Runtime.discardConsoleEntries');
  }

  #value(reference) {
    let argument = {};
    if (reference.objectId !== undefined) argument = { objectId: reference.objectId };
    else if (reference.unserializableValue !== undefined) argument = { unserializableValue: reference.unserializableValue };
    else if (reference.type !== 'undefined') argument = { value: reference.value ?? null };
    this.#received = undefined;
    this.#session.post('Runtime.callFunctionOn', {
      objectId: this.#sink,
      functionDeclaration: 'function (value) { this(value); }',
      arguments: [argument],
      silent: true,
    });
    const value = this.#received;
    this.#received = undefined;
    return value;
  }
}

module.exports = { Evaluator };
