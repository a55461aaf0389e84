import { describe, expect, it } from 'vitest';
import { preferred } from './index';
import { amount, dollars, fromNow, percent, shortDollars, size, span, windowLength } from './format';

const NOW = Date.parse('2026-11-20T12:00:00Z');

describe('formats', () => {
  it('write spans in their largest units', () => {
    expect(span(471)).toBe('471 ms');
    expect(span(2_340)).toBe('2.3 sec');
    expect(span(59_400)).toBe('59 sec');
    expect(span(125 * 60_000)).toBe('2 hr 5 min');
    expect(span(26 * 3_600_000)).toBe('1 day 2 hr');
    expect(windowLength(300)).toBe('5 hours');
    expect(windowLength(43_200)).toBe('30 days');
    expect(windowLength(90)).toBe('90 minutes');
  });

  it('write amounts and shares', () => {
    expect(amount(9_876)).toBe('9,876');
    expect(amount(1_234_567)).toBe('1.2M');
    expect(percent(62.4)).toBe('62%');
    expect([size(1), size(471), size(5_700), size(1_200_000)]).toEqual(['1 byte', '471 bytes', '5.7 kB', '1.2 MB']);
  });

  it('write what is less than a cent as what it is', () => {
    expect([0, 0.0032, 0.426, 7.013, 1234.5].map(dollars)).toEqual(['$0.00', '$0.0032', '$0.43', '$7.01', '$1,234.50']);
    expect([0.0032, 9.5, 20].map(shortDollars)).toEqual(['$0.0032', '$9.50', '$20']);
  });

  it('say how far away a moment is', () => {
    expect(fromNow(NOW - 5 * 60_000, NOW)).toBe('5 minutes ago');
    expect(fromNow(NOW - 10_000, NOW)).toBe('now');
    expect(fromNow(NOW + 24 * 3_600_000, NOW)).toBe('tomorrow');
  });
});

describe('the language', () => {
  it('is the first of the person’s that we speak', () => {
    expect(preferred(['de-DE', 'zh-Hans-CN', 'en'])).toBe('zh');
    expect(preferred(['de-DE', 'en-GB', 'zh'])).toBe('en');
    expect(preferred(['fr'])).toBe('en');
    expect(preferred([])).toBe('en');
  });
});
