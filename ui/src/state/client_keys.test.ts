import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from '../api/client';
import { ClientKeys } from './client_keys.svelte';

const gateway = vi.hoisted(() => ({ keys: [] as string[], down: false }));

vi.mock('../api/client', async (original) => ({
  ...(await original<typeof import('../api/client')>()),
  makeKey: async (name: string) => {
    if (gateway.keys.includes(name)) throw new ApiError(409, 'name_taken', 'there is one', null);
    gateway.keys.push(name);
    return { name, key: `cf_${name}` };
  },
}));
vi.mock('../api/settings', () => ({
  keys: async () => {
    if (gateway.down) throw new Error('down');
    return { keys: gateway.keys.map((name) => ({ name, created_at: '2026-11-20T12:00:00Z', ends_with: name.slice(-4) })) };
  },
  revokeKey: async (name: string) => void (gateway.keys = gateway.keys.filter((other) => other !== name)),
}));

describe('client keys', () => {
  let keys: ClientKeys;
  beforeEach(async () => {
    gateway.keys = ['laptop'];
    gateway.down = false;
    keys = new ClientKeys();
    await keys.load();
  });

  it('are made, shown, and listed without what is secret', async () => {
    expect(await keys.create('desk')).toBe(true);
    expect(keys.made).toEqual({ name: 'desk', key: 'cf_desk' });
    expect(keys.all?.map(({ name }) => name)).toEqual(['laptop', 'desk']);
    expect(JSON.stringify(keys.all)).not.toContain('cf_desk');
  });

  it('are not shown any more once they are revoked', async () => {
    await keys.create('desk');
    await keys.revoke('laptop');
    expect(keys.made?.name, 'another one').toBe('desk');
    await keys.revoke('desk');
    expect(keys.made).toBe(null);
    expect(keys.all).toEqual([]);
  });

  it('leave things as they are when a name is taken', async () => {
    expect(await keys.create('laptop')).toBe(false);
    expect(keys.made).toBe(null);
    expect(keys.busy).toBe(false);
  });

  it('stay known while they cannot be read', async () => {
    gateway.down = true;
    await keys.load();
    expect(keys.problem).toBeInstanceOf(Error);
    expect(keys.all?.length).toBe(1);
  });
});
