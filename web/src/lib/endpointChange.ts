// What those who call an endpoint see of a change.
import { defaultText } from './parameters';
import type { Column, Endpoint, EndpointParameter } from './types';

export interface Change { text: string; breaks: boolean } // breaks: calls that worked may fail, or answer less

interface Definition { params: EndpointParameter[]; columns: Column[]; cache_seconds: number; max_rows: number | null; timeout_ms: number | null }

const asked = (each: EndpointParameter) => (each.required ? 'required' : each.default === undefined ? 'optional' : `${defaultText(each) || 'the empty text'} unless given`);

function parameterChanges(before: EndpointParameter[], after: EndpointParameter[]): Change[] {
  const out: Change[] = [];
  for (const each of after) {
    const old = before.find((other) => other.name === each.name);
    if (!old) out.push({ text: `new parameter ${each.name} (${each.type}, ${asked(each)})`, breaks: each.required === true });
    else if (old.type !== each.type) out.push({ text: `${each.name} is ${each.type}, no longer ${old.type}`, breaks: true });
    else if (asked(old) !== asked(each)) out.push({ text: `${each.name}: ${asked(each)}, no longer ${asked(old)}`, breaks: each.required === true });
  }
  for (const old of before) if (!after.some((each) => each.name === old.name)) out.push({ text: `no parameter ${old.name} any more: calls that give it are refused`, breaks: true });
  return out;
}

function columnChanges(before: Column[], after: Column[]): Change[] {
  const out: Change[] = [];
  for (const each of after) {
    const old = before.find((other) => other.name === each.name);
    if (!old) out.push({ text: `new column ${each.name} (${each.type})`, breaks: false });
    else if (old.type !== each.type) out.push({ text: `column ${each.name} is ${each.type}, no longer ${old.type}`, breaks: true });
  }
  for (const old of before) if (!after.some((each) => each.name === old.name)) out.push({ text: `no column ${old.name} any more`, breaks: true });
  return out;
}

export function changesOf(before: Endpoint, after: Definition, isPublic: boolean): Change[] {
  const out = [...parameterChanges(before.params, after.params), ...columnChanges(before.columns, after.columns)];
  if (isPublic !== before.public) out.push(isPublic ? { text: 'it is public: anybody may call it, without a key', breaks: false } : { text: 'it is public no longer: calls without a key are refused', breaks: true });
  if (after.cache_seconds !== before.cache_seconds) out.push({ text: after.cache_seconds ? `answers may be kept for ${after.cache_seconds} s` : 'answers are asked for anew each time', breaks: false });
  const limit = (what: string, from: number | null, to: number | null) => {
    if (from !== to) out.push({ text: to === null ? `no limit of ${what} of its own any more` : `at most ${to} ${what}`, breaks: to !== null && (from === null || to < from) });
  };
  limit('rows', before.max_rows, after.max_rows);
  limit('milliseconds', before.timeout_ms, after.timeout_ms);
  return out;
}
