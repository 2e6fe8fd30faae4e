// Objects of the API, as its own description has them (schema.d.ts is made of it).
import type { components } from './schema';

type Schemas = components['schemas'];
export type Session = Schemas['Session'];
export type Destination = Schemas['Destination'];
export type DestinationType = Schemas['DestinationType'];
export type Key = Schemas['Key'];
export type NewKey = Schemas['NewKey'];
export type Table = Schemas['Table'];
export type Column = Schemas['Column'];
export type Endpoint = Schemas['Endpoint'];
export type EndpointParameter = Schemas['EndpointParameter'];
export type EndpointDefinition = Schemas['EndpointDefinition'];
export type EndpointUsage = Schemas['EndpointUsage'];
export type NewShare = Schemas['NewShare'];
export type NewShareAnswer = Schemas['NewShareAnswer'];
export type Share = Schemas['Share'];
export type Download = Schemas['Download'];
export type Live = Schemas['Live'];
export type Contract = Schemas['Contract'];
export type ContractMode = Schemas['ContractMode'];
export type SchemaChange = Schemas['SchemaChange'];
export type FailedRow = Schemas['FailedRow'];
export type Receipt = Schemas['Receipt'];
export type Inserted = Schemas['Inserted'];
export type TailNotice = Schemas['TailNotice'];
export type DryRun = Schemas['DryRun'];
export interface Page<T> { data: T[]; next: string | null }
