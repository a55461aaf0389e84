import { describe, expect, it } from 'vitest';
import type { Client, ClientPlace } from '../api/types';
import { byHand, canSetUp, comesHere, explanation, homely, mainPlace, standing } from './client';

const place = (over: object): ClientPlace =>
  ({ target: 'user', label: '', files: ['x'], opt_in: false, obstacle: null, held: false, accepted: false, conflicts: [], state: 'clean', ...over }) as unknown as ClientPlace;
const client = (targets: ClientPlace[], installed = true) => ({ targets, installed }) as unknown as Client;
const conflict = (weight: string) => ({ weight });

describe('a client', () => {
  it('is as well as the worst that is in its way', () => {
    const tones = [[], ['note'], ['note', 'warning'], ['blocks', 'note']].map((all) => standing(place({ state: 'ours', conflicts: all.map(conflict) })).tone);
    expect(tones).toEqual(['good', 'good', 'warn', 'bad']);
  });

  it('has drifted by somebody, or is out of date by ourselves', () => {
    const drifted = (by: string[], accepted = false) => standing(place({ state: 'drifted', accepted, drifts: by.map((by) => ({ by })) })).text;
    expect(drifted(['gateway', 'file'])).toBe('Was changed since it was set up');
    expect(drifted(['gateway'])).toBe('Its setup is out of date');
    expect(drifted(['file'], true)).toBe('Was changed, and stays as it is');
  });

  it('is spoken for by its owner’s own settings', () => {
    const [project, user] = [place({ target: 'project', opt_in: true, state: 'ours' }), place({})];
    expect(mainPlace(client([project, user]))).toBe(user);
    expect(mainPlace(client([project]))).toBe(project);
    expect(mainPlace(client([]))).toBe(null);
    expect(comesHere(client([user, project]))).toBe(true);
    expect(comesHere(client([user]))).toBe(false);
  });

  it('can be set up by a click when it is there and nothing is in the way', () => {
    expect(canSetUp(client([place({})]))).toBe(true);
    expect(canSetUp(client([place({ obstacle: 'no network' })]))).toBe(false);
    expect(canSetUp(client([place({})], false))).toBe(false);
    expect(canSetUp(client([]))).toBe(false);
    expect(canSetUp(client([place({ files: [] })]))).toBe(false);
    expect([byHand(client([])), byHand(client([place({ files: [] })])), byHand(client([place({})]))]).toEqual([true, true, false]);
  });
});

describe('the lines to copy', () => {
  it('are a text where there is nothing to copy', () => {
    const manual = (manual: string) => explanation({ manual } as unknown as Client);
    expect(manual('# There is nothing to copy:\n# it goes elsewhere.\n')).toBe('There is nothing to copy: it goes elsewhere.');
    expect([manual('# first\nA=1\n'), manual('')]).toEqual([null, null]);
  });
});

describe('a path', () => {
  it('begins at home where it is there', () => {
    expect(homely('/people/ada/.claude/settings.json', '/people/ada')).toBe('~/.claude/settings.json');
    expect(homely('C:\\Users\\ada\\.codex', 'C:\\Users\\ada')).toBe('~\\.codex');
    expect(homely('/people/ada', '/people/ada')).toBe('~');
    for (const other of ['/people/adam/.claude', '/etc/x', '/ada/.claude']) expect(homely(other, '/people/ada')).toBe(other);
    expect(homely('/people/ada/x', null)).toBe('/people/ada/x');
  });
});
