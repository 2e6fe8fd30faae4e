// The form of a destination, made of what the server says of its type: which settings stand for one another, and which go with which.
import { memberOf } from './api';
import type { Destination, DestinationType } from './types';

export type Setting = DestinationType['settings'][number];
export type Value = string | boolean;

// A setting with those that mean something beside it only; and a choice between settings that say the same in another way.
export interface Field { setting: Setting; beside: Item[] }
export type Item = { options: Field[] } | Field;
export const isChoice = (item: Item): item is { options: Field[] } => 'options' in item;
const nameOf = (item: Item) => (isChoice(item) ? item.options[0]!.setting.name : item.setting.name);

export interface Draft {
  texts: Record<string, string>;
  flags: Record<string, boolean>;
  chosen: Record<string, string>; // of each choice, by its first option's name
  kept: Record<string, boolean>; // secrets that are set, and stay unless a new one is given
}

export function layout(settings: Setting[], onlyWith: string | null = null): Item[] {
  const here = settings.filter((each) => each.only_with === onlyWith);
  const field = (setting: Setting): Field => ({ setting, beside: layout(settings, setting.name) });
  const placed = new Set<string>();
  const items: Item[] = [];
  for (const setting of here) {
    if (placed.has(setting.name)) continue;
    const group = here.filter((each) => each === setting || setting.not_with.includes(each.name));
    for (const each of group) placed.add(each.name);
    items.push(group.length > 1 ? { options: group.map(field) } : field(setting));
  }
  return items;
}

const isSecret = (value: unknown): value is { secret: true; set: boolean } => typeof value === 'object' && value !== null && 'secret' in value;
const isSet = (value: unknown) => (isSecret(value) ? value.set : value !== undefined && value !== '' && value !== false);

export function draftOf(settings: Setting[], stored: Destination['settings'] = {}): Draft {
  const draft: Draft = { texts: {}, flags: {}, chosen: {}, kept: {} };
  for (const setting of settings) {
    const value = stored[setting.name];
    draft.texts[setting.name] = typeof value === 'string' ? value : '';
    draft.flags[setting.name] = typeof value === 'boolean' ? value : setting.default === true;
    draft.kept[setting.name] = isSecret(value) && value.set;
  }
  const choose = (items: Item[]) => {
    for (const item of items) {
      if (isChoice(item)) {
        const given = item.options.find((each) => isSet(stored[each.setting.name]));
        const usual = item.options.find((each) => typeof each.setting.default === 'string');
        draft.chosen[nameOf(item)] = (given ?? usual ?? item.options[0]!).setting.name;
      }
      for (const field of isChoice(item) ? item.options : [item]) choose(field.beside);
    }
  };
  choose(layout(settings));
  return draft;
}

export const choiceOf = (draft: Draft, item: Item) => draft.chosen[nameOf(item)];
export const choose = (draft: Draft, item: Item, name: string) => { draft.chosen[nameOf(item)] = name; };

// Those that mean something as the draft is: of a choice the chosen one, and what goes with what is given.
export function settingsInPlay(settings: Setting[], draft: Draft): Setting[] {
  const read = (item: Item): Setting[] => {
    const { setting, beside } = isChoice(item) ? item.options.find((each) => each.setting.name === choiceOf(draft, item))! : item;
    const given = isChoice(item) || draft.texts[setting.name] !== '' || draft.kept[setting.name] || draft.flags[setting.name];
    return given ? [setting, ...beside.flatMap(read)] : [setting];
  };
  return layout(settings).flatMap(read);
}

// Which field an error is shown at: "name", or "settings.file"; "" where it is about none that is to be seen.
export function faultyField(error: unknown, settings: Setting[], draft: Draft): string {
  const member = memberOf(error);
  const seen = member === 'name' || settingsInPlay(settings, draft).some((each) => each.kind !== 'boolean' && member === `settings.${each.name}`);
  return seen ? member : '';
}

// What the draft says, without what is as by default. A secret that stays is true.
export function settingsOf(settings: Setting[], draft: Draft): Record<string, Value> {
  const out: Record<string, Value> = {};
  for (const setting of settingsInPlay(settings, draft)) {
    const text = draft.texts[setting.name]!.trim();
    const isChosen = Object.values(draft.chosen).includes(setting.name);
    const flag = isChosen || draft.flags[setting.name]!;
    if (setting.kind === 'boolean' && flag !== (setting.default ?? false)) out[setting.name] = flag;
    else if (text !== '') out[setting.name] = text;
    else if (draft.kept[setting.name]) out[setting.name] = true;
  }
  return out;
}

// What PATCH has to say to come from what is stored to the draft: null removes.
export function changesOf(settings: Setting[], draft: Draft, stored: Destination['settings']): Record<string, Value | null> {
  const wanted = settingsOf(settings, draft);
  const out: Record<string, Value | null> = {};
  for (const setting of settings) {
    const [before, after] = [stored[setting.name], wanted[setting.name]];
    if (setting.secret) {
      if (typeof after === 'string') out[setting.name] = after;
      else if (after === undefined && isSet(before)) out[setting.name] = null;
    } else if (after === undefined) {
      if (before !== undefined && before !== (setting.default ?? false)) out[setting.name] = null;
    } else if (after !== before) {
      out[setting.name] = after;
    }
  }
  return out;
}

// Rows go elsewhere from then on. A new secret opens the same place, unless having one is what decides where that is.
export const movesTarget = (settings: Setting[], changes: Record<string, Value | null>, stored: Destination['settings']) =>
  settings.some((each) => each.name in changes && (!each.secret || (each.not_with.length > 0 && isSet(stored[each.name]) !== (changes[each.name] !== null))));

// In a few words, where a destination's rows are.
export function targetOf(destination: Destination, types: DestinationType[]): string {
  const type = types.find((each) => each.type === destination.type);
  const words = (type?.settings ?? []).flatMap((setting) => {
    const value = destination.settings?.[setting.name];
    if (!isSet(value)) return [];
    if (isSecret(value)) return [setting.label.replace(/ (token|password|key|secret)$/i, '')];
    return [value === true ? setting.label.toLowerCase() : String(value)];
  });
  const usual = type?.settings.find((each) => typeof each.default === 'string' && each.only_with === null)?.default;
  return [type?.label ?? destination.type, ...(words.length > 0 ? words : usual ? [String(usual)] : [])].join(' · ');
}
