// Who sends webhooks, what of their JSON becomes columns, and the URL that they are given.
import type { Key, NewKey } from './types';

export interface Shape { name: string; label: string; help: string; flatten: NonNullable<NewKey['flatten']>; depth?: number }

// A key that is limited to one table fills one table: `multitable` is none of these.
export const shapes: Shape[] = [
  { name: 'envelope', label: 'The envelope', help: 'Two levels become columns; what lies deeper is one JSON value: data_object', flatten: 'horizontal', depth: 2 },
  { name: 'nested', label: 'Nested', help: 'Each member is a column, and what is nested stays so: repository.full_name, unnest(line_items)', flatten: 'none' },
  { name: 'flat', label: 'Flat', help: 'Every value is a column, however deep it lies: cart_0_price', flatten: 'horizontal' },
  { name: 'rows', label: 'A row for each element', help: 'Lists become rows, and what stands around them is repeated', flatten: 'vertical' },
];

export interface Provider {
  name: string;
  label: string;
  sends: string;
  table: string;
  shape: string;
  why: string;
  where: string[]; // the way to its form, step by step
  note?: string;
}

export const providers: Provider[] = [
  {
    name: 'stripe', label: 'Stripe', sends: 'Payments, invoices, subscriptions', table: 'stripe_events', shape: 'envelope',
    why: 'Each type of event has an object of its own shape. It stays one JSON column, data_object, so that the table does not grow with every type: data_object->>\'amount\'.',
    where: [
      'Open Workbench → Webhooks (or Developers → Webhooks) and click “Create new destination” or “Add endpoint”.',
      'Choose the events on your account that you want: all of them, or a few.',
      'As the kind of destination choose “Webhook”, and paste the URL as “Endpoint URL”.',
      'Create it. The signing secret that Stripe shows is not needed here yet.',
    ],
  },
  {
    name: 'shopify', label: 'Shopify', sends: 'Orders, customers, products', table: 'shopify_orders', shape: 'nested',
    why: 'An order has lists, of line items for instance. They stay lists in their columns, and unnest(line_items) makes rows of them.',
    where: [
      'In the shop\'s admin open Settings → Notifications → Webhooks and click “Create webhook”.',
      'Choose the event, for instance “Order creation”.',
      'As the format choose “JSON”, and paste the URL.',
      'Save. “Send test” in the list of webhooks sends a first one.',
    ],
    note: 'Which event it is, Shopify says in a header, and headers are not kept yet. Make a webhook with a table of its own for each event.',
  },
  {
    name: 'github', label: 'GitHub', sends: 'Pushes, issues, pull requests', table: 'github_events', shape: 'nested',
    why: 'The 58 types of events nest deeply, and flat they would be thousands of columns. Nested they are about a hundred: repository.full_name, sender.login.',
    where: [
      'In the repository or organization open Settings → Webhooks and click “Add webhook”.',
      'Paste the URL as “Payload URL”.',
      'As the content type choose “application/json”, and leave the secret empty.',
      'Choose the events and click “Add webhook”. GitHub sends a ping at once: it is the first delivery.',
    ],
    note: 'Which event it is, GitHub says in a header, and headers are not kept yet. What it is about shows in the columns that are set: issue, pull_request, commits. To keep events apart, make a webhook for each.',
  },
  {
    name: 'other', label: 'Any other JSON', sends: 'Whatever can POST to a URL', table: 'webhook_events', shape: 'flat',
    why: 'Every value gets a column of its own, which is the easiest to query as long as documents are small.',
    where: [
      'Open the sender\'s settings for webhooks, often under “Integrations” or “Developers”.',
      'Paste the URL. The method is POST, the content type application/json.',
      'Lists, one object a line, and forms are read too.',
    ],
  },
];

const kSuffix = ' webhook';
export const keyName = (sender: string) => `${sender}${kSuffix}`;

// Keys that were made for webhooks are known by their name and by what they may.
export const isWebhook = (key: Key) =>
  key.name.endsWith(kSuffix) && key.origin === 'api' && key.tables?.length === 1 && key.scopes.length === 1 && key.scopes[0] === 'insert';

export const providerOf = (key: Key) => providers.find((each) => keyName(each.label) === key.name) ?? providers[providers.length - 1]!;

// Of a webhook that was made just now: what its URL has behind the host, and the rows that its table had before.
export interface FreshWebhook { path: string; rows: number }

export const webhookPath = (table: string, secret: string, shape: Shape) =>
  `/api/data/insert/${encodeURIComponent(table)}?api_key=${secret}${shape.depth ? `&flatten_depth=${shape.depth}` : ''}`;
export const trimmedBase = (base: string) => base.trim().replace(/\/+$/, '');

// Addresses that only this machine, or its network, knows.
export function isPrivate(address: string): boolean {
  let host: string;
  try {
    host = new URL(address).hostname;
  } catch {
    return false;
  }
  return /^(localhost|.*\.localhost|.*\.local|.*\.internal|127\..*|10\..*|192\.168\..*|172\.(1[6-9]|2\d|3[01])\..*|169\.254\..*|\[::1?\]|\[f[cde].*|0\.0\.0\.0|[^.[\]]+)$/.test(host);
}
