'use strict';
// What was thrown, told as Node tells it: the place with its line, then the error with the user's frames only.

const { inspect, types } = require('node:util');

const MAX_VALUE = 16_000;
const MAX_TRACEBACK = 60_000;
const MAX_LINE = 500;
const MAX_REMEMBERED = 500;
const sources = new Map();

function remember(name, code) {
  sources.set(name, code);
  if (sources.size > MAX_REMEMBERED) sources.delete(sources.keys().next().value);
}

function read(error, property) {
  try {
    const value = error[property];
    return value === undefined ? '' : String(value);
  } catch {
    return '';
  }
}

function isError(value) {
  try {
    return types.isNativeError(value) || value instanceof Error;
  } catch {
    return false;
  }
}

// Below the inspector's frame there is only the kernel, and Node's own frames help nobody.
function userFrames(text) {
  const kept = [];
  let below = false;
  for (const line of text.split('\n')) {
    const frame = /^\s+at /.test(line);
    if (!frame) below = false;
    else if (line.includes('node:inspector')) below = true;
    if (frame && (below || line.includes('node:') || line.includes(__dirname))) continue;
    kept.push(line);
  }
  return kept.join('\n');
}

function excerpt(name, line, column) {
  const source = sources.get(name)?.split('\n')[line - 1];
  if (source === undefined) return '';
  // A caret under a line that was cut would point at nothing.
  const caret = column <= MAX_LINE ? `\n${source.slice(0, column - 1).replace(/[^\t]/g, ' ')}^` : '';
  return `${name}:${line}\n${source.slice(0, MAX_LINE)}${caret}\n\n`;
}

function describe(error, name, place) {
  const known = isError(error);
  let shown;
  try {
    shown = inspect(error, { depth: 2, maxArrayLength: 50, maxStringLength: 10_000 });
  } catch {
    shown = '[an error that cannot be shown]';
  }
  shown = userFrames(shown);
  const frame = /\b(cell\d+\.js):(\d+):(\d+)/.exec(known ? userFrames(read(error, 'stack')) : '');
  let head = '';
  if (frame !== null) {
    head = excerpt(frame[1], Number(frame[2]), Number(frame[3]));
  } else if (known && place !== undefined && read(error, 'name') === 'SyntaxError') {
    head = excerpt(name, place.line + 1, place.column + 1);
  }
  return {
    name: (known ? read(error, 'name') || 'Error' : 'Uncaught').slice(0, 200),
    value: (known ? read(error, 'message') : shown).slice(0, MAX_VALUE),
    traceback: `${head}${known ? '' : 'Uncaught '}${shown}`.slice(0, MAX_TRACEBACK),
  };
}

module.exports = { describe, remember };
