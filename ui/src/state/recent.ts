// The last exchanges, as the page holds them. The request log has all of them.

import type { Exchange } from '../api/types';

/** So many are kept here. */
export const RECENT = 50;

/** Both lists without doubles, the newest first, no more than are kept. */
export function merged(known: Exchange[], news: Exchange[]): Exchange[] {
  const byId = new Map([...known, ...news].map((exchange) => [exchange.id, exchange]));
  const newestFirst = (a: Exchange, b: Exchange) => Date.parse(b.at) - Date.parse(a.at) || b.id.localeCompare(a.id);
  return [...byId.values()].sort(newestFirst).slice(0, RECENT);
}
