// A delivery of each provider, as it comes, shortened: with ids of its own, so that one tells it from a real one.
const kNow = () => Math.floor(Date.now() / 1000);
const kIso = () => new Date().toISOString().replace(/\.\d+Z$/, 'Z');
const random = () => crypto.getRandomValues(new Uint32Array(1))[0]!;

const stripe = () => ({
  id: `evt_sample_${random()}`, object: 'event', api_version: '2025-03-31.basil', created: kNow(),
  data: {
    object: {
      id: 'pi_sample', object: 'payment_intent', amount: 2599, amount_received: 2599, currency: 'eur', customer: 'cus_sample', description: 'A sample payment',
      latest_charge: 'ch_sample', livemode: false, metadata: { order: '6735' }, payment_method_types: ['card'], receipt_email: 'jenny@example.com', status: 'succeeded',
    },
  },
  livemode: false, pending_webhooks: 1, request: { id: 'req_sample', idempotency_key: null }, type: 'payment_intent.succeeded',
});

const shopify = () => ({
  id: random(), admin_graphql_api_id: 'gid://shopify/Order/0', name: '#9999', order_number: 1234, test: true, created_at: kIso(), updated_at: kIso(), currency: 'EUR',
  email: 'jon@example.com', financial_status: 'paid', fulfillment_status: null, subtotal_price: '388.00', total_tax: '62.00', total_price: '398.00',
  customer: { id: 115310627314723950, email: 'jon@example.com', first_name: 'Jon', last_name: 'Sample', verified_email: true },
  line_items: [
    { id: 487817672276298560, sku: 'SKU2006-001', title: 'Aviator sunglasses', quantity: 1, price: '89.99', taxable: true, properties: [] },
    { id: 976318377106520300, sku: 'SKU2006-020', title: 'Mid-century lounger', quantity: 1, price: '159.99', taxable: true, properties: [] },
  ],
  shipping_address: { first_name: 'Jon', last_name: 'Sample', address1: '123 Shipping Street', city: 'Shippington', zip: '40003', country_code: 'US' },
  shipping_lines: [{ title: 'Standard', price: '10.00', code: 'standard' }], tags: '', note: null,
});

const github = () => ({
  action: 'opened',
  issue: {
    id: random(), number: 1, title: 'A sample issue', state: 'open', comments: 0, created_at: kIso(), updated_at: kIso(), closed_at: null, body: 'Sent by the dashboard.',
    user: { login: 'octo-sample', id: 21031067, type: 'User', site_admin: false }, labels: [{ id: 1362934389, name: 'bug', color: 'd73a4a', default: true }],
  },
  repository: {
    id: 186853002, name: 'hello-sample', full_name: 'octo-sample/hello-sample', private: false, owner: { login: 'octo-sample', id: 21031067, type: 'User' },
    html_url: 'https://github.com/octo-sample/hello-sample', fork: false, default_branch: 'main', stargazers_count: 7, topics: ['sample'],
  },
  sender: { login: 'octo-sample', id: 21031067, type: 'User', site_admin: false },
});

const other = () => ({ id: `sample-${random()}`, type: 'order.created', at: kIso(), customer: { id: 7, email: 'jenny@example.com' }, items: [{ sku: 'tea', price: 4.5 }, { sku: 'cup', price: 12 }] });

const kSamples: Record<string, () => object> = { stripe, shopify, github };

export const sampleOf = (provider: string): string => JSON.stringify((kSamples[provider] ?? other)());
