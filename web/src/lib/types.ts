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
export interface Page<T> { data: T[]; next: string | null }
