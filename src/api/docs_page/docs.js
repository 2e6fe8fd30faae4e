// Shows /api/openapi.json; with a key also the saved endpoints that the key may call. The key stays in this page.
'use strict';

const said = document.getElementById('said');

// Within a button, which Swagger UI makes of each operation's head, a link is none: its path is text here.
const plainPaths = (system) => ({
  wrapComponents: { DeepLink: () => ({ text }) => system.React.createElement('span', null, text) },
});

// Swagger UI gives its fields, tables and headings no names and levels for those who do not see them.
const ui = document.getElementById('swagger-ui');
function label(node, words) {
  if (!node.labels?.length && !node.getAttribute('aria-label')) node.setAttribute('aria-label', words);
}
function nameAll() {
  for (const field of ui.querySelectorAll('select, textarea, input:not([type=hidden])')) {
    const parameter = field.closest('tr[data-param-name]')?.dataset.paramName;
    label(field, parameter ?? (field.closest('.opblock-section-request-body') ? 'Request body' : field.closest('.responses-wrapper') ? 'Media type' : 'Value'));
  }
  for (const table of ui.querySelectorAll('table[role=region], .responses-table')) {
    const operation = table.closest('.opblock')?.querySelector('.opblock-summary-path, .opblock-summary-path__deprecated')?.dataset.path ?? '';
    const method = table.closest('.opblock')?.querySelector('.opblock-summary-method')?.textContent ?? '';
    label(table, `${table.classList.contains('live-responses-table') ? 'Answer' : 'Answers'} of ${method} ${operation}`);
  }
  for (const heading of ui.querySelectorAll('h3.opblock-tag, h4, h5')) {
    const level = String(Number(heading.tagName[1]) - 1);
    if (heading.getAttribute('aria-level') !== level) heading.setAttribute('aria-level', level);
  }
  for (const [part, words] of Object.entries({ '.information-container': 'About the API', '.scheme-container': 'Authorization' })) {
    const region = ui.querySelector(part);
    if (!region) continue;
    if (region.role !== 'region') region.role = 'region';
    label(region, words);
  }
}
new MutationObserver(nameAll).observe(ui, { childList: true, subtree: true });

async function show(key) {
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  const answer = await fetch('/api/openapi.json', { headers });
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({ detail: `the server answered ${answer.status}` }));
    said.textContent = problem.detail;
    return;
  }
  const spec = await answer.json();
  // Whatever name this server goes by elsewhere, here it is this one.
  spec.servers = [{ url: location.origin }];
  const shown = window.SwaggerUIBundle({
    spec,
    dom_id: '#swagger-ui',
    deepLinking: true,
    docExpansion: 'list',
    defaultModelsExpandDepth: 0,
    validatorUrl: null,
    plugins: [plainPaths],
    onComplete: () => { if (key) shown.preauthorizeApiKey('bearer', key); },
  });
  const mine = Object.keys(spec.paths).filter((path) => (spec.paths[path].get?.tags ?? []).includes('Your endpoints'));
  said.textContent = key ? `in use; ${mine.length === 1 ? '1 saved endpoint' : `${mine.length} saved endpoints`}` : '';
}

const dark = matchMedia('(prefers-color-scheme: dark)');
const adapt = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', adapt);
adapt();

document.getElementById('key-form').addEventListener('submit', (event) => {
  event.preventDefault();
  show(document.getElementById('key').value.trim());
});
show('');
