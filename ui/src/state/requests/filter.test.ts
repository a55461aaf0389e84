import { describe, expect, it } from 'vitest';
import { EVERYTHING, asked, read, written } from './filter';

describe('a filter in an address', () => {
  it('comes back as it was, whatever somebody searched for', () => {
    const filter = { ...EVERYTHING, q: 'a&b = 50 % ?#/ü 文', outcome: 'refused,failed', since: '2026-11-20T10:00:00+01:00' };
    expect(read(written(filter))).toEqual(filter);
  });

  it('is nothing when nothing is asked', () => {
    expect(written(EVERYTHING)).toBe('');
    expect(read('')).toEqual(EVERYTHING);
  });

  it('leaves out what nobody knows', () => {
    expect(read('color=blue&__proto__=x&client=desk')).toEqual({ ...EVERYTHING, client: 'desk' });
    expect(asked(read('since=1h&until=2h&client=desk'))).toBe(2);
  });
});
