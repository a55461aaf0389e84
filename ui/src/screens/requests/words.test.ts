import { describe, expect, it } from 'vitest';
import { ApiError, problemOf } from '../../api/client';
import type { Exchange } from '../../api/types';
import { cachedShare, models } from '../../parts/exchange';
import { sentence } from '../../parts/sentence';
import { cost, standing } from './words';

const exchange = (over: Partial<Exchange>): Exchange => ({ outcome: 'completed', status: 200, tokens: null, ...over }) as Exchange;
const entry = (done: Exchange | null, open: object | null = null) => ({ id: 'a', at: 0, done, open }) as Parameters<typeof standing>[0];

describe('a row', () => {
  it('names a model once where it was asked for by its name', () => {
    expect(models({ asked: 'opus', model: 'sol' })).toBe('opus → sol');
    expect(models({ asked: 'sol', model: 'sol' })).toBe('sol');
    expect(models({ asked: 'nobody', model: '' })).toBe('nobody');
  });

  it('says how it ended, with a status where that tells more', () => {
    expect(standing(entry(exchange({})))).toEqual({ tone: 'good', text: 'Completed' });
    expect(standing(entry(exchange({ outcome: 'refused', status: 429 }))).text).toBe('Refused · 429');
    expect(standing(entry(exchange({ outcome: 'failed' }))).text).toBe('Failed');
  });

  it('says how far it is', () => {
    const open = { attempts: 1, first_byte_ms: null };
    expect(standing(entry(null, open)).text).toBe('Asking');
    expect(standing(entry(null, { ...open, attempts: 3 })).text).toBe('Attempt 3');
    expect(standing(entry(null, { attempts: 3, first_byte_ms: 5 }))).toEqual({ tone: 'busy', text: 'Answering' });
  });

  it('leaves out what nobody knows', () => {
    const tokens = { input: 200, cached: 50, output: 1, reasoning: 0 };
    expect(cachedShare(exchange({ tokens }))).toBe('25%');
    expect(cachedShare(exchange({ tokens: { ...tokens, input: 0 } }))).toBe(null);
    expect(cost(exchange({ cost_usd: null }))).toBe(null);
    expect(cost(exchange({ cost_usd: 0.000_01 }))).toBe('< $0.001');
    expect(cost(exchange({ cost_usd: 0.25 }))).toBe('$0.25');
  });

  it('begins a sentence with a capital, and a name as it is', () => {
    expect(sentence('no account can serve')).toBe('No account can serve');
    expect(sentence('top_k was left out')).toBe('top_k was left out');
    expect(problemOf(new ApiError(500, 'x', 'it broke', 'try again'))).toEqual({ message: 'it broke', hint: 'try again' });
  });
});
