import { number } from '../../lib/format';

// The API counts the rows of a request from 0, people count from 1.
export const rowName = (row: number) => `row ${number(row + 1)}`;

// Codes of refused rows (docs/api.md) in a few words each.
export const failures: Record<string, string> = {
  'not-an-object': 'It is no JSON object',
  'invalid-json': 'It is no JSON',
  'too-many-fields': 'More fields than the header has',
  'invalid-csv': 'It is no CSV',
  'invalid-utf8': 'It is not UTF-8',
  'lone-surrogate': 'Half of a surrogate pair',
  'too-deep': 'Nested too deep',
  'too-many-values': 'Too many values',
  'too-many-rows': 'It would become too many rows',
  'contract-freeze': 'The contract refuses it',
  'contract-discard-row': 'The contract sets it aside',
  'column-type': 'A value does not fit its column',
  strict: 'Another row of its request was refused',
  'table-not-allowed': 'Its key may not use the table',
  'refused-by-destination': 'The database refuses it',
};
