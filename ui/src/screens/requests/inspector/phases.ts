// Where the time of a request went. Pure.

import type { Exchange } from '../../../api/types';

export interface Phase {
  kind: 'failed' | 'waited' | 'between' | 'answer';
  /** Of an attempt: which one, counted from 1. */
  attempt: number | null;
  ms: number;
}

/**
 * Attempts by their length, then what is left until the first byte (reading the request, pauses before another attempt), then
 * the answer. Together they are the whole: what the clocks of both sides disagree on is cut off.
 */
export function phases(exchange: Pick<Exchange, 'attempts' | 'first_byte_ms' | 'total_ms'>): Phase[] {
  const { attempts, first_byte_ms: first, total_ms: total } = exchange;
  const before = Math.min(first ?? total, total);
  let left = before;
  const list: Phase[] = attempts.map(({ ms, failure }, index) => {
    const length = Math.min(ms, left);
    left -= length;
    return { kind: failure === undefined ? 'waited' : 'failed', attempt: index + 1, ms: length };
  });
  if (left > 0) list.push({ kind: 'between', attempt: null, ms: left });
  if (first !== null && total > before) list.push({ kind: 'answer', attempt: null, ms: total - before });
  return list;
}

/** How much of the whole a phase is, in percent. */
export const share = (phase: Phase, total: number): number => (total === 0 ? 0 : (100 * phase.ms) / total);
