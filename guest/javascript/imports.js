'use strict';
// The inspector runs scripts, where import() has no referrer and the import statement does not exist. Both are turned
// into calls of a function of ours, without moving any line. Whether an occurrence is code or part of a string, a
// comment or a regular expression is asked of V8: a NUL is legal in those and nowhere else.

const vm = require('node:vm');

// As long as `import`, so that columns stay right too.
const CALL = '_cove_';
const MOST = 200;
const STATEMENT = /(?<=^|;)([ \t]*)import\s*(?:([\w$\s{},*]+?)\s*from\s*)?(['"])([^'"\n]+)\3(?:\s*(?:with|assert)\s*\{[^}]*\})?[ \t]*;?/gm;
const DYNAMIC = /\bimport(?=\s*\()/g;

function compiles(code) {
  try {
    new vm.Script(`(async function () {${code}\n})`);
    return true;
  } catch {
    return false;
  }
}

// Replace those matches that are code. With all candidates replaced the code must compile; a candidate that may be a NUL
// is text and stays as it was.
function replace(code, pattern, replacement) {
  const found = [...code.matchAll(pattern)].slice(0, MOST);
  if (found.length === 0) return code;
  const build = (texts) => {
    let result = '';
    let end = 0;
    found.forEach((match, i) => {
      result += code.slice(end, match.index) + texts[i];
      end = match.index + match[0].length;
    });
    return result + code.slice(end);
  };
  const replaced = found.map(replacement);
  if (!compiles(build(replaced))) return code; // Its own error will tell more than ours.
  return build(found.map((match, i) => {
    const probe = [...replaced];
    probe[i] = '\0';
    return compiles(build(probe)) ? match[0] : replaced[i];
  }));
}

function names(list) {
  return list.split(',').map((item) => item.trim()).filter(Boolean)
    .map((item) => item.replace(/\s+as\s+/, ': ')).join(', ');
}

function statement(match) {
  const [text, indent, clause, , specifier] = match;
  const lines = '\n'.repeat(text.split('\n').length - 1);
  const call = `await ${CALL}(${JSON.stringify(specifier)})`;
  if (clause === undefined) return `${indent}${call};${lines}`;
  const parts = /^(?:([\w$]+)\s*,?\s*)?(?:\*\s*as\s+([\w$]+)|\{([^}]*)\})?$/.exec(clause.trim());
  if (parts === null) return text;
  const [, main, space, list] = parts;
  const declared = [];
  if (space !== undefined) declared.push(`${space} = ${call}`);
  const picked = [main && `default: ${main}`, list !== undefined && names(list)].filter(Boolean).join(', ');
  if (picked !== '' || space === undefined) declared.push(`{${picked}} = ${call}`);
  return `${indent}const ${declared.join(', ')};${lines}`;
}

function rewrite(code) {
  if (!code.includes('import')) return code;
  return replace(replace(code, STATEMENT, statement), DYNAMIC, () => CALL);
}

module.exports = { rewrite, CALL };
