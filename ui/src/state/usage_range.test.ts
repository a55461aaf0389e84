import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dayOf, dayText, slotsOf, spanOf } from './usage_range';

const HOUR = 3_600_000;
const before = process.env.TZ;
const iso = (at: number | null | undefined) => (at === null || at === undefined ? at : new Date(at).toISOString());

function within(zone: string) {
  beforeAll(() => void (process.env.TZ = zone));
  afterAll(() => {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  });
}

describe('ranges in Berlin', () => {
  within('Europe/Berlin');
  const now = Date.parse('2026-11-20T11:30:00Z');

  it('begin at the midnight of the person', () => {
    const today = spanOf({ preset: 'today' }, now);
    expect(today).toEqual({ since: Date.parse('2026-11-19T23:00:00Z'), until: null, step: 'hour' });
    expect(slotsOf(today!, now)).toHaveLength(13);
    const week = spanOf({ preset: 'week' }, now)!;
    expect([iso(week.since), week.step]).toEqual(['2026-11-13T23:00:00.000Z', 'day']);
    expect(slotsOf(week, now)).toHaveLength(7);
    expect(slotsOf(spanOf({ preset: 'month' }, now)!, now)).toHaveLength(30);
  });

  it('of one’s own hold their last day, and end today', () => {
    const span = spanOf({ from: '2026-11-01', to: '2026-11-03' }, now)!;
    expect([iso(span.since), iso(span.until), span.step]).toEqual(['2026-10-31T23:00:00.000Z', '2026-11-03T23:00:00.000Z', 'day']);
    expect(slotsOf(span, now)).toHaveLength(3);
    expect(spanOf({ from: '2026-11-02', to: '2026-11-03' }, now)!.step).toBe('hour');
    const future = spanOf({ from: '2026-11-19', to: '2026-12-24' }, now)!;
    expect(slotsOf(future, now).map(dayText), 'what has not begun has no bar').toEqual(['2026-11-19', '2026-11-20']);
  });

  it('that mean nothing are none', () => {
    for (const [from, to] of [['2026-11-03', '2026-11-01'], ['', '2026-11-01'], ['2026-02-30', '2026-03-01'], ['x', 'y']]) {
      expect(spanOf({ from: from!, to: to! }, now), `${from} to ${to}`).toBe(null);
    }
    expect(dayOf('2026-02-29')).toBe(null);
  });

  it('count the hours that a day has', () => {
    const hours = (day: string) => slotsOf(spanOf({ from: day, to: day }, now)!, now).length;
    expect(hours('2026-03-29'), 'the clocks go forward').toBe(23);
    expect(hours('2026-10-25'), 'and back').toBe(25);
    const october = slotsOf(spanOf({ from: '2026-10-24', to: '2026-10-27' }, now)!, now);
    expect(october.map(dayText)).toEqual(['2026-10-24', '2026-10-25', '2026-10-26', '2026-10-27']);
    expect(october[2]! - october[1]!).toBe(25 * HOUR);
  });
});

describe('ranges in Kolkata', () => {
  within('Asia/Kolkata');
  const now = Date.parse('2026-11-20T11:30:00Z');

  it('have the hours of UTC that begin within them', () => {
    const span = spanOf({ preset: 'today' }, now)!;
    expect(iso(span.since)).toBe('2026-11-19T18:30:00.000Z');
    expect(iso(slotsOf(span, now)[0])).toBe('2026-11-19T19:00:00.000Z');
  });
});

describe('ranges where midnight may be missing', () => {
  within('America/Sao_Paulo');

  it('begin with the first moment of the day', () => {
    // In 2018 the clocks went forward at midnight.
    const now = Date.parse('2018-11-05T12:00:00Z');
    const slots = slotsOf(spanOf({ from: '2018-11-03', to: '2018-11-05' }, now)!, now);
    expect(slots.map(iso)).toEqual(['2018-11-03T03:00:00.000Z', '2018-11-04T03:00:00.000Z', '2018-11-05T02:00:00.000Z']);
  });
});
