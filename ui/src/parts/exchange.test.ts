import { describe, expect, it } from 'vitest';
import type { Exchange } from '../api/types';
import { merged, RECENT } from '../state/recent';
import { cureOf, troubles } from './exchange';

const exchange = (id: string, over: Partial<Exchange> = {}): Exchange =>
  ({ id, at: `2026-11-20T12:00:${id.padStart(2, '0')}Z`, outcome: 'completed', account: 'a', error: null, ...over }) as Exchange;
const failed = (id: string, error: string, account = 'a') => exchange(id, { outcome: 'refused', error, account });

describe('the last exchanges', () => {
  it('are each there once, the newest first, and not too many', () => {
    const ids = (list: Exchange[]) => list.map((one) => one.id);
    expect(ids(merged([exchange('3'), exchange('1')], [exchange('2'), exchange('3')]))).toEqual(['3', '2', '1']);
    const many = Array.from({ length: 80 }, (_, at) => exchange(String(at % 60), { id: `x${at}` }));
    expect(merged([], many)).toHaveLength(RECENT);
  });

  it('are compared as moments and not as texts', () => {
    const early = exchange('a', { at: '2026-11-20T12:00:00.5Z' });
    const late = exchange('b', { at: '2026-11-20T12:00:00.587Z' });
    expect(merged([early], [late]).map((one) => one.id)).toEqual(['b', 'a']);
  });
});

describe('troubles', () => {
  it('are told once for each kind, until it goes well again', () => {
    const ids = (list: Exchange[]) => troubles(list).map((one) => one.id);
    expect(ids([failed('4', 'connect'), failed('3', 'usage_limit'), failed('2', 'connect')])).toEqual(['4', '3']);
    expect(ids([exchange('5'), failed('4', 'connect')]), 'it went well since').toEqual([]);
    expect(ids([exchange('5', { account: 'b' }), failed('4', 'connect')]), 'on another account').toEqual(['4']);
    expect(ids([exchange('6', { outcome: 'cancelled' })])).toEqual([]);
  });

  it('have a cure by their code', () => {
    expect(cureOf(failed('1', 'account_dead'))).toEqual({ text: 'Sign in again.', screen: 'accounts' });
    expect(cureOf(failed('1', 'what_comes_later'))).toBe(null);
  });
});
