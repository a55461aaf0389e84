import { describe, expect, it } from 'vitest';
import { type Command, found, type Group } from './palette';

const command = (text: string, group: Group = 'screens', also = ''): Command => ({ id: text, group, icon: 'arrow', text, also, run: () => {} });
const texts = (query: string, all: Command[]) => found(query, all).map(({ text }) => text);

describe('the palette', () => {
  it('finds by every word, wherever it stands, in any order', () => {
    const all = [command('Use work@example.com', 'accounts', 'plus'), command('Use home', 'accounts')];
    expect(texts('WORK use', all)).toEqual(['Use work@example.com']);
    expect(texts('plus', all)).toEqual(['Use work@example.com']);
    expect(texts('work home', all)).toEqual([]);
  });

  it('puts first what begins so, and keeps the groups together', () => {
    const all = [command('Theme: as the system', 'settings'), command('A usage'), command('Reuse'), command('Usage')];
    expect(texts('us', all)).toEqual(['Usage', 'A usage', 'Reuse']);
    expect(texts('s', all)).toEqual(['A usage', 'Reuse', 'Usage', 'Theme: as the system']);
  });

  it('finds what has no spaces between its words', () => {
    expect(texts('设置', [command('打开设置')])).toEqual(['打开设置']);
  });

  it('shows a few requests to begin with, and more to who looks for them', () => {
    const many = Array.from({ length: 20 }, (_, at) => command(`request ${at}`, 'requests'));
    expect(found('', many).length).toBe(4);
    expect(found('request', many).length).toBe(8);
  });
});
