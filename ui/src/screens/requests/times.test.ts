import { describe, expect, it } from 'vitest';
import { startOfDay, toLocal, toMoment } from './times';

describe('a field for a time', () => {
  it('shows the moment that was typed', () => {
    for (const typed of ['2026-11-20T09:05', '2026-03-29T02:30', '2026-07-01T23:59']) {
      const moment = toMoment(typed);
      expect(moment).toMatch(/Z$/);
      expect(toMoment(toLocal(moment))).toBe(moment);
    }
    expect(toMoment('')).toBe('');
    expect(toLocal('')).toBe('');
    expect(toLocal('24h')).toBe('');
  });

  it('begins as this day', () => {
    expect(toLocal(startOfDay(new Date(2026, 10, 20, 15, 30).getTime()))).toBe('2026-11-20T00:00');
  });
});
