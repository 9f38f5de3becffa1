'use strict';
// What a cell finds beside the language: require, import() and Node's own modules by name, as in Node's REPL.
// Names are resolved from the working directory of the moment; NODE_PATH (set by the shim) adds the home directory's.

const Module = require('node:module');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { CALL } = require('./imports.js');

const bases = new Map();

// A module that stands in the working directory, though no file does.
function base() {
  const folder = process.cwd();
  let found = bases.get(folder);
  if (found === undefined) {
    const filename = path.join(folder, 'cell.js');
    const module = new Module(filename, null);
    module.filename = filename;
    module.paths = Module._nodeModulePaths(folder);
    module._compile('module.exports = (specifier, options) => import(specifier, options);', filename);
    found = { require: Module.createRequire(filename), import: module.exports };
    if (bases.size > 100) bases.clear();
    bases.set(folder, found);
  }
  return found;
}

async function load(specifier, options) {
  const from = base();
  try {
    return await from.import(specifier, options);
  } catch (error) {
    // import ignores NODE_PATH; what only require finds is imported by its file.
    if (error?.code !== 'ERR_MODULE_NOT_FOUND' || /^[./]|^\w+:/.test(String(specifier))) throw error;
    let file;
    try {
      file = from.require.resolve(String(specifier));
    } catch {
      throw error;
    }
    return from.import(pathToFileURL(file).href, options);
  }
}

function define(name, value) {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
}

function install() {
  const require = (id) => base().require(id);
  require.resolve = (id, options) => base().require.resolve(id, options);
  require.cache = Module._cache;
  require.main = undefined;
  define('require', require);
  const module = { exports: {} };
  define('module', module);
  define('exports', module.exports);
  define(CALL, load);
  for (const name of Module.builtinModules) {
    if (/^_|[/:]/.test(name) || name in globalThis) continue;
    Object.defineProperty(globalThis, name, {
      configurable: true,
      enumerable: false,
      get: () => {
        const value = Module.prototype.require.call(module, `node:${name}`);
        define(name, value);
        return value;
      },
      set: (value) => define(name, value),
    });
  }
}

module.exports = { install };
