// Why new requests go to an account, or do not. Pure: docs/accounts.md says how the gateway chooses.

import type { PlainKey } from '../i18n';
import type { Account, Rotation } from '../api/types';
import { canServe } from './account';

export type Standing = Extract<PlainKey, `picked.${string}`> | 'picked.over_until';

/** Where an account stands among those that pay, which come in their order. */
export function standing(account: Account, paying: Account[], rotation: Rotation): Standing {
  if (!canServe(account)) {
    if (rotation === 'personal' && account.active) return 'picked.refused';
    if (account.state === 'ready' && account.paused) return 'picked.held';
    return account.state === 'cooling_down' && !account.paused ? 'picked.over_until' : 'picked.over';
  }
  if (rotation === 'personal') return account.active ? 'picked.here' : 'picked.not_chosen';
  const able = paying.filter(canServe);
  const highest = Math.max(...able.map((one) => one.priority));
  const first = able.filter((one) => one.priority === highest);
  if (rotation === 'round_robin' || rotation === 'least_in_flight') {
    if (!first.includes(account)) return 'picked.stands_by';
    return first.length === 1 ? 'picked.here' : 'picked.turn';
  }
  const active = able.find((one) => one.active);
  if (rotation === 'sticky') {
    if (active !== undefined) return active === account ? 'picked.here' : 'picked.stands_by';
    return first[0] === account ? 'picked.steps_in' : 'picked.stands_by';
  }
  // Of equals the active one goes first.
  return (first.find((one) => one.active) ?? first[0]) === account ? 'picked.here' : 'picked.stands_by';
}
