// Shows /api/openapi.json; with a key also the saved endpoints that the key may call. The key stays in this page.
'use strict';

const said = document.getElementById('said');

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
  const ui = window.SwaggerUIBundle({
    spec,
    dom_id: '#swagger-ui',
    deepLinking: true,
    docExpansion: 'list',
    defaultModelsExpandDepth: 0,
    validatorUrl: null,
    onComplete: () => { if (key) ui.preauthorizeApiKey('bearer', key); },
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
