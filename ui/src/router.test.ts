import { describe, expect, it } from 'vitest';
import { href, parse } from './router.svelte';

describe('routes', () => {
  it('are read from the address', () => {
    expect(parse('#/accounts')).toEqual({ screen: 'accounts', id: null });
    expect(parse('#/accounts/acc_01')).toEqual({ screen: 'accounts', id: 'acc_01' });
    expect(parse('#/requests/req_01').id).toBe('req_01');
    expect(parse('#settings')).toEqual({ screen: 'settings', id: null });
  });

  it('lead to the overview when nobody knows them', () => {
    for (const hash of ['', '#', '#/', '#/nothing', '#/../x', '#//evil']) {
      expect(parse(hash), hash).toEqual({ screen: 'overview', id: null });
    }
    expect(parse('#/accounts/%E0%A4%A').id).toBe(null);
  });

  it('come back from their own address', () => {
    expect(parse(href('accounts', 'a b/ü'))).toEqual({ screen: 'accounts', id: 'a b/ü' });
  });
});
