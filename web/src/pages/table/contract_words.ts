// A contract in words: what each choice does to a row (docs/rows.md, Contracts).

export const standard = {
  tables: 'evolve' as string,
  columns: 'evolve' as string,
  data_type: 'evolve' as string,
  timestamps: true,
  max_columns: null as number | null,
  flatten: null as string | null,
  flatten_depth: null as number | null,
};

const kRefused = 'The row is refused, and kept among the failed rows';

export const allowances = [
  {
    member: 'columns',
    title: 'A key that has no column yet',
    modes: [
      { value: 'evolve', label: 'Add the column', then: 'The row goes in. Earlier rows have NULL there.' },
      { value: 'freeze', label: 'Refuse the row', then: `${kRefused} as contract-freeze: this should not happen.` },
      { value: 'discard_row', label: 'Set the row aside', then: `${kRefused} as contract-discard-row: this is expected.` },
      { value: 'discard_value', label: 'Leave the value out', then: 'The row goes in without it. The value is gone.' },
    ],
  },
  {
    member: 'data_type',
    title: 'A value that its column cannot hold',
    modes: [
      { value: 'evolve', label: 'Widen the column', then: 'The column takes a type that holds both; every earlier value stays readable.' },
      { value: 'freeze', label: 'Refuse the row', then: `${kRefused} as contract-freeze.` },
      { value: 'discard_row', label: 'Set the row aside', then: `${kRefused} as contract-discard-row.` },
      { value: 'discard_value', label: 'Leave the value out', then: 'The row goes in with NULL there. The value is gone.' },
    ],
  },
  {
    member: 'tables',
    title: 'A table that is not there yet',
    modes: [
      { value: 'evolve', label: 'Make the table', then: 'The first row makes it.' },
      { value: 'freeze', label: 'Refuse the row', then: `${kRefused} as contract-freeze.` },
      { value: 'discard_row', label: 'Set the row aside', then: `${kRefused} as contract-discard-row.` },
      { value: 'discard_value', label: 'Set the row aside, too', then: 'As there is nothing else to leave out, it is the same as discard_row.' },
    ],
  },
] as const;

export const flattenings = [
  { value: null, label: 'As the server does by itself', then: 'That is horizontal.' },
  { value: 'horizontal', label: 'Columns', then: 'Nested keys and elements become columns: user_name, items_0_sku.' },
  { value: 'vertical', label: 'A row for each element', then: 'Each element of an array gets a row of its own; what stands outside is repeated.' },
  { value: 'multitable', label: 'Child tables', then: 'Arrays become rows of tables of their own: orders_items, with the id of their parent.' },
  { value: 'none', label: 'As it is', then: 'Each member is a column; what is nested is a STRUCT, a LIST or JSON.' },
] as const;
