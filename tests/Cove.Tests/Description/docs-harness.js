'use strict';
// Runs the page's script over a document of a few lines, opens every fold, and sends what can be sent without input. Prints the text that is shown.
const vm = require('node:vm');
const base = process.argv[2].replace(/\/$/, '');

class Element {
  constructor(tag) { this.tag = tag; this.children = []; this.listeners = {}; this.attributes = {}; this.value = ''; }
  append(...nodes) { this.children.push(...nodes); }
  replaceChildren(...nodes) { this.children = nodes; }
  hasChildNodes() { return this.children.length > 0; }
  setAttribute(name, value) { this.attributes[name] = value; }
  addEventListener(name, listener) { this.listeners[name] = listener; }
  set textContent(text) { this.children = [text]; }
  get textContent() { return this.children.map(child => (typeof child === 'string' ? child : child.textContent)).join(' '); }
  querySelector(tag) { return this.all().find(node => node.tag === tag); }
  all() { return this.children.filter(child => child instanceof Element).flatMap(child => [child, ...child.all()]); }
}

const known = {};
const document = {
  getElementById: id => (known[id] ??= new Element(id)),
  createElement: tag => new Element(tag),
};

function open(node, depth) {
  for (const child of node.children.filter(child => child instanceof Element)) {
    if (child.tag === 'details' && depth < 4) {
      child.open = true;
      child.listeners.toggle();
      open(child, depth + 1);
    } else {
      open(child, depth);
    }
  }
}

(async () => {
  const script = await (await fetch(base + '/docs/docs.js')).text();
  let loaded;
  const asked = (path, options) => (loaded = fetch(base + path, options));
  vm.runInNewContext(script, { document, fetch: asked, URLSearchParams, encodeURIComponent, console });
  await loaded;
  while (!known.main || !known.main.children.length) await new Promise(resolve => setImmediate(resolve));
  open(known.main, 0);
  console.log(known.main.textContent);
  const templates = known.main.all().find(node => node.tag === 'details' && node.textContent.includes('listTemplates'));
  const answer = templates.all().find(node => node.tag === 'pre');
  await templates.all().find(node => node.tag === 'button').listeners.click();
  console.log('GET sent: ' + answer.textContent);
})().catch(failure => { console.error(failure); process.exitCode = 1; });
