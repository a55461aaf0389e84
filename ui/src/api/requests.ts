// Calls for the request log and for captures.

import { call } from './client';
import { usage } from './usage';
import type { CaptureState, CaptureSummary, Exchange, ExchangeDetail } from './types';

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

export interface Page {
  exchanges: Exchange[];
  /** Ask for what comes before this; `null`: that was all. */
  next: number | null;
}

const written = (parameters: Record<string, string>) =>
  new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== '')).toString();

export const page = (filter: Filter, before: number | null, limit: number) =>
  call<Page>('GET', `/exchanges?${written({ ...filter, before: before === null ? '' : String(before), limit: String(limit) })}`);
export const exchange = (id: string) => call<ExchangeDetail>('GET', `/exchanges/${encodeURIComponent(id)}`);
/** Where the rows of a filter are, for a spreadsheet. */
export const csv = (filter: Filter) => `/api/exchanges.csv?${written({ ...filter })}`;

export interface Turn {
  id: string;
  explanation: string;
}
export interface Conversation {
  conversation: string;
  requests: number;
  cached_percent: number | null;
  remark: string | null;
  turns: Turn[];
}
export const conversation = (name: string) => call<Conversation>('GET', `/conversations/${encodeURIComponent(name)}`);

export interface Captures extends CaptureState {
  captures: CaptureSummary[];
  bytes: number;
  damaged: number;
}

/** A body. Exactly one of `json` and `text` is there, if it is not empty. */
export interface Part {
  bytes: number;
  cut?: number;
  /** The same as in the attempt of that number, counted from 1. */
  same_as?: number;
  json?: unknown;
  text?: string;
}
export interface StreamRecord {
  ms: number;
  text: string;
}
export interface Answer {
  at_ms: number;
  status: number | null;
  headers: string[];
  whole?: boolean;
  body?: Part;
  stream?: { bytes: number; cut?: number; records: StreamRecord[] };
}
export interface Capture {
  request: { line: string; headers: string[]; body: Part };
  attempts: { at_ms: number; lowered: Part; failure?: string; answer?: Answer }[];
  answer: Answer;
}
export interface CaptureWish {
  minutes: number;
  client: string | null;
  images: boolean;
}
const capturePath = (id: string) => `/capture/${encodeURIComponent(id)}`;
export const captures = () => call<Captures>('GET', '/capture');
export const beginCapture = (wish: CaptureWish) => call<CaptureState>('POST', '/capture', wish);
export const endCapture = () => call<void>('DELETE', '/capture');
export const capture = (id: string) => call<Capture>('GET', capturePath(id));
export const deleteCapture = (id: string) => call<void>('DELETE', capturePath(id));
/** Where the capture is, as it is given to others. */
export const bundle = (id: string) => `/api${capturePath(id)}/bundle`;

export const keys = () => call<{ keys: { name: string }[] }>('GET', '/keys');

/** The clients or models of late, by their names. */
export async function used(by: 'client' | 'model'): Promise<string[]> {
  const { sums } = await usage({ since: '90d', until: null, tz: 'UTC', by });
  return sums.map((sum) => sum.key[by] ?? '');
}
