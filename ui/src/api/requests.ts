// Calls for the request log and for captures.

import { call } from './client';
import { usage } from './usage';
import type { Capture, CaptureState, CaptureWish, Captures, Conversation, ExchangeDetail, ExchangePage, KeyList } from './types';

/** What is asked of the request log. An empty text asks nothing. */
export interface Filter {
  client: string;
  model: string;
  account: string;
  outcome: string;
  status: string;
  since: string;
  until: string;
  conversation: string;
  q: string;
}

const written = (parameters: Record<string, string>) =>
  new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== '')).toString();

export const page = (filter: Filter, before: number | null, limit: number) =>
  call<ExchangePage>('GET', `/exchanges?${written({ ...filter, before: before === null ? '' : String(before), limit: String(limit) })}`);
export const exchange = (id: string) => call<ExchangeDetail>('GET', `/exchanges/${encodeURIComponent(id)}`);
/** Where the rows of a filter are, for a spreadsheet. */
export const csv = (filter: Filter) => `/api/exchanges.csv?${written({ ...filter })}`;

export const conversation = (name: string) => call<Conversation>('GET', `/conversations/${encodeURIComponent(name)}`);

/** What is asked for: so many minutes from now. */
export type CaptureAsk = Pick<CaptureWish, 'client' | 'images'> & { minutes: number };

const capturePath = (id: string) => `/capture/${encodeURIComponent(id)}`;
export const captures = () => call<Captures>('GET', '/capture');
export const beginCapture = (wish: CaptureAsk) => call<CaptureState>('POST', '/capture', wish);
export const endCapture = () => call<void>('DELETE', '/capture');
export const capture = (id: string) => call<Capture>('GET', capturePath(id));
export const deleteCapture = (id: string) => call<void>('DELETE', capturePath(id));
/** Where the capture is, as it is given to others. */
export const bundle = (id: string) => `/api${capturePath(id)}/bundle`;

export const keys = () => call<KeyList>('GET', '/keys');

/** The clients or models of late, by their names. */
export async function used(by: 'client' | 'model'): Promise<string[]> {
  const { sums } = await usage({ since: '90d', until: null, tz: 'UTC', by });
  return sums.map((sum) => sum.key[by] ?? '');
}
