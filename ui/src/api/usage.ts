// What was used: docs/api.md, "What happened".

import { call } from './client';

export interface Figures {
  requests: number;
  completed: number;
  refused: number;
  failed: number;
  cancelled: number;
  /** Those whose tokens are known. */
  counted: number;
  /** Cached ones among them. */
  input: number;
  cached: number;
  /** Reasoning among them. */
  output: number;
  reasoning: number;
  /** At list prices, without the `unpriced`. */
  cost_usd: number;
  unpriced: number;
  cached_percent: number | null;
  average_first_byte_ms: number | null;
  tokens_per_second: number | null;
}

export type By = 'hour' | 'day' | 'model' | 'account' | 'client';

export type UsageRow = Figures & { key: Partial<Record<By, string>>; account_name?: string };

export interface UsageReport {
  tz: string;
  total: Figures;
  sums: UsageRow[];
}

export interface UsageQuery {
  since: string;
  until: string | null;
  by: By;
  tz: string;
  model?: string;
  account?: string;
  client?: string;
}

function parameters(query: UsageQuery): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== '');
  return new URLSearchParams(pairs as [string, string][]).toString();
}

export const usage = (query: UsageQuery) => call<UsageReport>('GET', `/usage?${parameters(query)}`);

/** The address of the same as a spreadsheet. */
export const spreadsheet = (query: UsageQuery) => `/api/usage.csv?${parameters(query)}`;
