'use strict';
// Reads /openapi.json and shows it. All text goes in as text, never as markup.
(function () {
  const methods = ['get', 'put', 'post', 'patch', 'delete', 'head', 'options'];
  const find = document.getElementById('find');
  const key = document.getElementById('key');
  const main = document.getElementById('main');
  let api;

  function el(tag, attributes, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name === 'class') node.className = value;
      else if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
      else node.setAttribute(name, value);
    }
    node.append(...children.filter(child => child !== null && child !== undefined));
    return node;
  }

  function resolve(thing) {
    let seen = 0;
    while (thing && thing.$ref && seen++ < 20) {
      thing = thing.$ref.split('/').slice(1).reduce((at, part) => at && at[part], api);
    }
    return thing || {};
  }

  function nameOf(schema) {
    if (!schema) return 'anything';
    if (schema.$ref) return schema.$ref.split('/').pop();
    if (schema.oneOf || schema.anyOf) return (schema.oneOf || schema.anyOf).map(nameOf).join(' | ');
    if (schema.enum) return schema.enum.map(value => JSON.stringify(value)).join(' | ');
    if (schema.const !== undefined) return JSON.stringify(schema.const);
    if (schema.type === 'array') return nameOf(schema.items) + '[]';
    if (schema.type === 'object' && schema.additionalProperties) return 'map of ' + nameOf(schema.additionalProperties);
    return [].concat(schema.type || 'anything').join(' | ') + (schema.format ? ' (' + schema.format + ')' : '');
  }

  function schemaView(schema, depth) {
    const full = resolve(schema);
    const variants = full.oneOf || full.anyOf;
    if (variants) return el('div', {}, ...variants.map(variant => fold(nameOf(variant), () => schemaView(variant, depth + 1))));
    if (full.type === 'array' && full.items) return schemaView(full.items, depth);
    if (!full.properties) return el('p', {}, el('code', {}, nameOf(full)), full.description ? ' ' + full.description : '');
    const rows = Object.entries(full.properties).map(([name, property]) => {
      const inner = resolve(property.type === 'array' ? property.items : property);
      const text = property.description || (property.$ref ? inner.description : '') || '';
      const deeper = (inner.properties || inner.oneOf) && depth < 6 ? fold('fields', () => schemaView(inner, depth + 1)) : null;
      return el('tr', {},
        el('td', {}, el('code', {}, name), (full.required || []).includes(name) ? ' *' : ''),
        el('td', {}, el('code', {}, nameOf(property))),
        el('td', {}, text, deeper));
    });
    return el('table', {}, ...rows);
  }

  // Built when opened: schemas may refer to themselves.
  function fold(title, build) {
    const body = el('div', { class: 'body' });
    const box = el('details', { ontoggle: () => { if (box.open && !body.hasChildNodes()) body.append(build()); } }, el('summary', {}, title), body);
    return box;
  }

  function parametersView(parameters) {
    return el('table', {}, ...parameters.map(parameter => el('tr', {},
      el('td', {}, el('code', {}, parameter.name), parameter.required ? ' *' : ''),
      el('td', {}, parameter.in),
      el('td', {}, el('code', {}, nameOf(parameter.schema))),
      el('td', {}, parameter.description || ''))));
  }

  function contentView(content) {
    return Object.entries(content || {}).map(([type, media]) => el('div', {}, el('code', { class: 'quiet' }, type), media.schema ? schemaView(media.schema, 0) : null));
  }

  function responsesView(responses) {
    return Object.entries(responses).map(([status, response]) => {
      const full = resolve(response);
      return fold(status + ' ' + full.description, () => el('div', {}, ...contentView(full.content)));
    });
  }

  function tryView(path, method, operation, parameters) {
    const inputs = parameters.map(parameter => [parameter, el('input', { type: 'text', placeholder: parameter.required ? 'needed' : '' })]);
    const types = Object.keys((operation.requestBody || {}).content || {});
    const body = types.length > 0 ? el('textarea', { spellcheck: 'false' }, types[0].includes('json') ? '{\n}' : '') : null;
    const answer = el('pre', {});
    const send = el('button', { onclick: async () => { answer.textContent = '…'; answer.textContent = await ask(path, method, inputs, types[0], body); } }, 'Send');
    return el('div', {},
      el('table', {}, ...inputs.map(([parameter, input]) => el('tr', {}, el('td', {}, el('code', {}, parameter.name)), el('td', {}, input)))),
      body, send, answer);
  }

  async function ask(path, method, inputs, type, body) {
    const headers = {};
    const query = new URLSearchParams();
    for (const [parameter, input] of inputs) {
      if (parameter.in === 'path') path = path.replace('{' + parameter.name + '}', encodeURIComponent(input.value));
      else if (input.value === '') continue;
      else if (parameter.in === 'query') query.append(parameter.name, input.value);
      else if (parameter.in === 'header') headers[parameter.name] = input.value;
    }
    if (key.value) headers['X-API-Key'] = key.value;
    if (body) headers['Content-Type'] = type;
    try {
      const response = await fetch(path + (query.size ? '?' + query : ''), { method: method.toUpperCase(), headers, body: body ? body.value : undefined, credentials: 'omit', redirect: 'error' });
      return response.status + ' ' + response.statusText + '\n' + [...response.headers].map(([name, value]) => name + ': ' + value).join('\n') + '\n\n' + pretty(await response.text());
    } catch (failure) {
      return String(failure);
    }
  }

  function pretty(text) {
    try { return JSON.stringify(JSON.parse(text), null, 2); } catch { return text; }
  }

  function operationView(path, method, operation, shared) {
    const parameters = [...(shared || []), ...(operation.parameters || [])].map(resolve);
    const build = () => el('div', {},
      el('p', {}, operation.description || ''),
      el('p', { class: 'quiet' }, operation.operationId + (operation['x-cove-scope'] ? ', needs a key with: ' + operation['x-cove-scope'] : ', needs no key')),
      parameters.length ? el('h3', {}, 'Parameters (* needed)') : null, parameters.length ? parametersView(parameters) : null,
      operation.requestBody ? el('h3', {}, 'Body') : null, ...(operation.requestBody ? contentView(operation.requestBody.content) : []),
      el('h3', {}, 'Answers'), ...responsesView(operation.responses),
      el('h3', {}, 'Try it'), tryView(path, method, operation, parameters));
    const box = fold('', build);
    box.querySelector('summary').append(el('span', { class: 'method ' + method }, method.toUpperCase()), operation.summary || '');
    return box;
  }

  function show() {
    const words = find.value.toLowerCase();
    const nodes = [];
    for (const [path, item] of Object.entries(api.paths)) {
      const found = methods.filter(method => item[method] && (path + ' ' + item[method].operationId + ' ' + item[method].summary).toLowerCase().includes(words));
      if (found.length) nodes.push(el('h2', {}, path), ...found.map(method => operationView(path, method, item[method], item.parameters)));
    }
    main.replaceChildren(...(nodes.length ? nodes : [el('p', {}, 'Nothing matches.')]));
  }

  fetch('/openapi.json', { credentials: 'omit' }).then(response => response.json()).then(document_ => {
    api = document_;
    document.getElementById('title').textContent = api.info.title + ' ' + api.info.version;
    document.getElementById('about').textContent = api.info.description || '';
    find.addEventListener('input', show);
    show();
  }).catch(failure => main.replaceChildren(el('p', {}, 'The description could not be read: ' + failure)));
})();
