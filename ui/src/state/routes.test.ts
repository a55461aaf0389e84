import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from '../api/client';
import type { Role, Target } from '../api/routes';
import { NameTrial, Routes } from './routes.svelte';

/** A gateway that keeps what it is told. */
const gateway = vi.hoisted(() => ({
  roles: {} as Record<string, Target | undefined>,
  aliases: {} as Record<string, Target | undefined>,
  answers: [] as ((value: unknown) => void)[],
}));

vi.mock('../api/routes', () => {
  const refuse = (to: Target) => {
    if (to.model === 'nonsense:') throw new ApiError(400, 'bad_setting', 'an effort is missing', null);
  };
  const role = (name: string): Role => {
    const set = gateway.roles[name];
    return { role: name as Role['role'], listed: true, default: 'gpt-a', set: set !== undefined, ...(set ?? { model: 'gpt-a', effort: null }) };
  };
  return {
    models: async () => ({ models: [], builtin: true }),
    routes: async () => ({
      roles: ['opus', 'sonnet'].map(role),
      aliases: Object.entries(gateway.aliases).flatMap(([name, to]) => (to ? [{ name, listed: true, ...to }] : [])),
    }),
    setRole: async (name: string, to: Target) => (refuse(to), void (gateway.roles[name] = to)),
    resetRole: async (name: string) => void delete gateway.roles[name],
    setAlias: async (name: string, to: Target) => (refuse(to), void (gateway.aliases[name] = to)),
    removeAlias: async (name: string) => void delete gateway.aliases[name],
    tryName: (name: string) => new Promise((answer) => gateway.answers.push(() => answer({ name, model: `to ${name}` }))),
  };
});

const B = { model: 'gpt-b', effort: 'high' };
const C = { model: 'gpt-c', effort: null };

describe('routes', () => {
  let routes: Routes;
  beforeEach(async () => {
    gateway.roles = {};
    gateway.aliases = {};
    routes = new Routes();
    await routes.load();
  });

  it('are saved at once, and the last change is taken back', async () => {
    expect(await routes.change('role:opus', B)).toBe(true);
    expect(routes.roles[0]).toMatchObject({ role: 'opus', set: true, ...B });
    await routes.change('role:opus', C);
    await routes.undo();
    expect(gateway.roles.opus).toEqual(B);
    expect(routes.last, 'it was the last one').toBe(null);
  });

  it('go back to the default when there was nothing before', async () => {
    await routes.change('role:opus', B);
    await routes.undo();
    expect(gateway.roles).toEqual({});
    expect(routes.roles[0]).toMatchObject({ set: false, model: 'gpt-a' });
  });

  it('bring a name back that was removed, and remove one that was added', async () => {
    await routes.change('alias:a:b', B);
    expect(routes.aliases).toEqual([{ name: 'a:b', listed: true, ...B }]);
    await routes.change('alias:a:b', null);
    expect(routes.aliases).toEqual([]);
    await routes.undo();
    expect(gateway.aliases['a:b']).toEqual(B);
    await routes.change('alias:new', C);
    await routes.undo();
    expect(gateway.aliases.new).toBe(undefined);
  });

  it('say what was refused, and leave the way back to what was saved', async () => {
    await routes.change('role:opus', B);
    expect(await routes.change('role:sonnet', { model: 'nonsense:', effort: null })).toBe(false);
    expect(routes.refused).toEqual({ name: 'role:sonnet', message: 'an effort is missing', hint: null });
    expect(routes.last).toEqual({ name: 'role:opus', before: null });
    await routes.change('role:sonnet', C);
    expect(routes.refused).toBe(null);
  });

  it('ask nothing for what is so already', async () => {
    await routes.change('role:opus', B);
    await routes.change('role:opus', B);
    expect(routes.last).toEqual({ name: 'role:opus', before: null });
  });
});

describe('a trial', () => {
  it('shows the answer to what was asked last', async () => {
    const trial = new NameTrial();
    trial.name = 'first';
    const first = trial.ask();
    trial.name = 'second';
    const second = trial.ask();
    const [one, two] = gateway.answers;
    two?.(null);
    await second;
    one?.(null);
    await first;
    expect(trial.found?.model).toBe('to second');
    expect(trial.asking).toBe(false);
    trial.name = ' ';
    await trial.ask();
    expect(trial.found).toBe(null);
  });
});
