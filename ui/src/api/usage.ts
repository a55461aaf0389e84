// What was used: docs/api.md, "What happened".

import { call } from './client';
import type { UsageReport } from './types';

export type By = 'hour' | 'day' | 'model' | 'account' | 'client';

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
