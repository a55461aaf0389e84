import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { SettingChange } from '../api/types';
import { AllSettings } from './all_settings.svelte';
import { live } from './live.svelte';

const gateway = vi.hoisted(() => ({ grace: 10 as number }));
const list = vi.hoisted(() => () => ({
  settings: [{ key: 'grace_seconds', value: gateway.grace, default: 10, set: gateway.grace !== 10, allowed: '', doc: '' }],
  problems: [],
}));

vi.mock('../api/client', async (original) => {
  const client = await original<typeof import('../api/client')>();
  return {
    ...client,
    settings: async () => list(),
    changeSettings: async (changes: Record<string, SettingChange>) => {
      const to = changes.grace_seconds;
      if (to === -1) throw new client.ApiError(400, 'bad_setting', 'grace_seconds must be a number from 0 to 3600', null);
      gateway.grace = typeof to === 'number' ? to : 10;
      return list();
    },
  };
});

describe('all settings', () => {
  let all: AllSettings;
  const grace = () => all.get('grace_seconds') ?? expect.fail('it is there');
  beforeEach(async () => {
    gateway.grace = 10;
    live.settings = {};
    all = new AllSettings();
    await all.load();
  });

  it('are changed and brought back', async () => {
    expect(all.changed(grace())).toBe(false);
    expect(await all.change('grace_seconds', 20)).toBe(true);
    expect([all.value(grace()), all.changed(grace()), live.settings.grace_seconds]).toEqual([20, true, 20]);
    await all.change('grace_seconds', null);
    expect([all.value(grace()), all.changed(grace())]).toEqual([10, false]);
  });

  it('say what is refused in the words of the gateway, until it is right', async () => {
    expect(await all.change('grace_seconds', -1)).toBe(false);
    expect(all.refused).toEqual({ key: 'grace_seconds', message: 'grace_seconds must be a number from 0 to 3600', hint: null });
    expect(all.value(grace())).toBe(10);
    await all.change('grace_seconds', 5);
    expect(all.refused).toBe(null);
  });

  it('see what is changed elsewhere', () => {
    live.changed([{ key: 'grace_seconds', value: 30, set: true }]);
    expect(all.value(grace())).toBe(30);
    expect(all.changed(grace())).toBe(true);
  });
});
