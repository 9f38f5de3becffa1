'use strict';
// The value of a cell's last expression, as text and, when it is small plain data, as JSON. Bounded in every direction:
// a value may be endless, and showing it must not cost more than making it did.

const { inspect } = require('node:util');

const MAX_TEXT = 100_000;
const MAX_NODES = 10_000;
const OPTIONS = { depth: 4, maxArrayLength: 200, maxStringLength: 20_000, breakLength: 100, compact: 3 };

function text(value) {
  let shown;
  try {
    shown = inspect(value, OPTIONS);
  } catch (error) {
    shown = `[a value that cannot be shown: ${safeMessage(error)}]`;
  }
  return shown.length > MAX_TEXT ? `${shown.slice(0, MAX_TEXT)}... ${shown.length - MAX_TEXT} more characters` : shown;
}

function safeMessage(error) {
  try {
    return String(error?.message ?? error).slice(0, 200);
  } catch {
    return 'its error cannot be shown either';
  }
}

// Only what JSON keeps whole: no getters, no prototypes of its own, no holes, no NaN, no cycles.
function plain(value, budget, depth) {
  if ((budget.left -= 1) < 0 || depth > 100) return false;
  switch (typeof value) {
    case 'string': return (budget.left -= value.length / 20) >= 0;
    case 'number': return Number.isFinite(value) && !Object.is(value, -0);
    case 'boolean': return true;
    case 'object': break;
    default: return false;
  }
  if (value === null) return true;
  const list = Array.isArray(value);
  if (list ? Object.getPrototypeOf(value) !== Array.prototype : ![Object.prototype, null].includes(Object.getPrototypeOf(value))) return false;
  const keys = Reflect.ownKeys(value);
  if (list && keys.length !== value.length + 1) return false;
  for (const key of keys) {
    if (list && key === 'length') continue;
    const property = Object.getOwnPropertyDescriptor(value, key);
    if (typeof key !== 'string' || !('value' in property) || !property.enumerable || key === 'toJSON') return false;
    budget.left -= key.length / 20;
    if (!plain(property.value, budget, depth + 1)) return false;
  }
  return true;
}

function render(value) {
  const data = { 'text/plain': text(value) };
  try {
    if (plain(value, { left: MAX_NODES }, 0)) {
      const json = JSON.stringify(value);
      if (json !== undefined && json.length <= MAX_TEXT) data['application/json'] = json;
    }
  } catch {
    // A proxy may throw at any question; then there is the text.
  }
  return data;
}

module.exports = { render };
