import { describe, expect, it, vi } from 'vitest';
import { ApiError } from '../api/client';
import type { UsageQuery } from '../api/usage';
import { Usage } from './usage.svelte';

const asked = vi.hoisted(() => [] as { query: UsageQuery; answer: (value: unknown) => void; refuse: (why: unknown) => void }[]);

vi.mock('../api/usage', () => ({
  usage: (query: UsageQuery) => new Promise((answer, refuse) => asked.push({ query, answer, refuse })),
  spreadsheet: (query: UsageQuery) => `csv by ${query.by}`,
}));

const NOW = Date.parse('2026-11-20T11:30:00Z');
const figures = (input: number) => ({ input, requests: 1 });
const report = (input: number, sums: unknown[] = []) => ({ tz: 'UTC', total: figures(input), sums });

async function answered(usage: Usage, change: () => void, ...answers: unknown[]): Promise<void> {
  asked.length = 0;
  change();
  const loaded = usage.load();
  asked.forEach((one, index) => one.answer(answers[index]));
  await loaded;
}

describe('usage', () => {
  it('has a step for every hour, also for those in which nothing was used', async () => {
    const usage = new Usage(() => NOW, 'Europe/Berlin');
    // The keys of the gateway are moments, however they are written.
    const at = new Date(NOW);
    at.setHours(1, 0, 0, 0);
    await answered(usage, () => {}, report(5, [{ key: { hour: at.toISOString() }, ...figures(5) }]), report(5));
    expect(asked[0]?.query).toMatchObject({ by: 'hour', tz: 'Europe/Berlin', until: null });
    expect(asked[1]?.query.by).toBe('model');
    const slots = usage.shown?.slots ?? [];
    expect(slots.length).toBeGreaterThan(1);
    expect(slots.filter((slot) => slot.figures !== null).map((slot) => slot.at)).toEqual([at.getTime()]);
  });

  it('shows what was asked last, whatever comes later', async () => {
    const usage = new Usage(() => NOW, 'UTC');
    asked.length = 0;
    const first = usage.load();
    usage.range = { preset: 'week' };
    const second = usage.load();
    asked[2]?.answer(report(7));
    asked[3]?.answer(report(7));
    await second;
    asked[0]?.answer(report(1));
    asked[1]?.refuse(new ApiError(500, 'request_log_failed', 'the file cannot be read', null));
    await first;
    expect(usage.shown?.total.input).toBe(7);
    expect([usage.problem, usage.loading]).toEqual([null, false]);
  });

  it('keeps what is shown when it cannot be read again, and says why', async () => {
    const usage = new Usage(() => NOW, 'UTC');
    await answered(usage, () => {}, report(3), report(3));
    asked.length = 0;
    const again = usage.load();
    asked[0]?.refuse(new ApiError(500, 'request_log_failed', 'the file cannot be read', 'look at the disk'));
    await again;
    expect(usage.shown?.total.input).toBe(3);
    expect(usage.problem).toEqual({ message: 'the file cannot be read', hint: 'look at the disk' });
    asked.length = 0;
    usage.range = { preset: 'week' };
    const other = usage.load();
    asked[0]?.refuse(new ApiError(500, 'request_log_failed', 'the file cannot be read', null));
    await other;
    expect(usage.shown, 'figures of today are not those of the week').toBe(null);
  });

  it('asks nothing for a range that means nothing', async () => {
    const usage = new Usage(() => NOW, 'UTC');
    await answered(usage, () => (usage.range = { from: '2026-11-20', to: '2026-11-01' }));
    expect(asked).toEqual([]);
    expect(usage.spreadsheet).toBe(null);
  });

  it('looks at one thing alone, also in the spreadsheet', async () => {
    const usage = new Usage(() => NOW, 'UTC');
    await answered(usage, () => (usage.only = { by: 'client', key: 'ci', name: 'ci' }), report(1), report(1));
    expect(asked.map((one) => one.query.client)).toEqual(['ci', 'ci']);
    expect(usage.query('day')).toMatchObject({ by: 'day', client: 'ci' });
  });
});
