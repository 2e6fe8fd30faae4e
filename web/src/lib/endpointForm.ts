// An endpoint as a form holds it.
import { draftsOf, matched, parametersOf, withParams, type Draft } from './parameters';
import type { Endpoint } from './types';

export interface EndpointForm { query: string; description: string; drafts: Draft[]; isPublic: boolean; cache: string; rows: string; timeout: string }

const shown = (value: number | null) => (value ? String(value) : '');

export const emptyForm = (query: string): EndpointForm => ({ query, description: '', drafts: [], isPublic: false, cache: '', rows: '', timeout: '' });

export const formOf = (endpoint: Endpoint): EndpointForm => ({
  query: endpoint.query,
  description: endpoint.description,
  drafts: draftsOf(endpoint.params),
  isPublic: endpoint.public,
  cache: shown(endpoint.cache_seconds),
  rows: shown(endpoint.max_rows),
  timeout: shown(endpoint.timeout_ms),
});

const written = (form: EndpointForm, drafts: Draft[], name?: string) =>
  withParams(
    {
      ...(name === undefined ? {} : { name }),
      query: form.query,
      description: form.description.trim(),
      public: form.isPublic,
      cache_seconds: Number(form.cache || 0),
      max_rows: form.rows === '' ? null : Number(form.rows),
      timeout_ms: form.timeout === '' ? null : Number(form.timeout),
    },
    drafts,
  );

// The body of a POST (with a name) or a PUT, with a draft of every parameter, also where somebody is quicker than the form.
export const bodyOf = (form: EndpointForm, name?: string) => written(form, matched(parametersOf(form.query), form.drafts), name);

// The definition of an endpoint as it is, for another version of it.
export const definitionOf = (endpoint: Endpoint) => written(formOf(endpoint), draftsOf(endpoint.params));
