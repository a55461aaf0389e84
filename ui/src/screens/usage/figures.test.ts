import { describe, expect, it } from 'vitest';
import type { Figures, UsageRow } from '../../api/types';
import { ordered, remarks, rowName } from './figures';

const figures = (over: Partial<Figures> = {}): Figures => ({
  requests: 10,
  completed: 9,
  refused: 1,
  failed: 0,
  cancelled: 0,
  counted: 10,
  input: 100,
  cached: 60,
  output: 20,
  reasoning: 5,
  cost_usd: 1,
  cost_nano_usd: 1_000_000_000,
  unpriced: 0,
  cached_percent: 60,
  average_first_byte_ms: 900,
  tokens_per_second: 50,
  ...over,
});
const row = (key: UsageRow['key'], over: Partial<UsageRow> = {}): UsageRow => ({ ...figures(), key, ...over });

describe('rows of usage', () => {
  it('are called as their owner calls them', () => {
    expect(rowName(row({ account: 'acc_1' }, { account_name: 'work' }), 'account')).toBe('work');
    expect(rowName(row({ account: 'acc_1' }), 'account')).toBe('acc_1');
    expect(rowName(row({ model: '' }), 'model')).toBe('Not known');
  });

  it('stand by what they took, or the newest first', () => {
    const rows = [row({ model: 'a' }, { input: 1 }), row({ model: 'b' }, { input: 9 })];
    expect(ordered(rows, 'model').map((one) => one.key.model)).toEqual(['b', 'a']);
    const days = [row({ day: '2026-11-19T00:00:00Z' }, { input: 9 }), row({ day: '2026-11-20T00:00:00Z' })];
    expect(ordered(days, 'day')[0]?.key.day).toBe('2026-11-20T00:00:00Z');
  });

  it('say what they do not hold', () => {
    expect(remarks(figures())).toHaveLength(1);
    expect(remarks(figures({ unpriced: 1, counted: 8 }))).toEqual([
      'Cost is what these tokens would have cost at list prices. A plan is paid for otherwise.',
      '1 request used a model whose price nobody knows; the cost is without it.',
      '2 requests ended before it was known what they used; the tokens are without theirs.',
    ]);
  });
});
